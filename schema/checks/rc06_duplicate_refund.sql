-- RC06 duplicate refund | 重复退款
-- severity: error
-- tolerance: none
-- needs: orders, order_lines, refund_attributions
-- A break means that a refund was loaded or made twice. | 差异说明退款被重复加载或重复发生。
--
-- Attributions of one refund order that are alike in everything (named by the first of them), or two refund orders that give
-- back the same amount of one original order within a day (named by the later one). Several resources that were bought
-- together give equal refunds: as many as the lines of either order say were bought or given back are no break.
create view check_rc06_duplicate_refund as
with
-- Attributions that are alike, with the number of things they may be about.
alike as (
    select
        o.account,
        o.order_id,
        o.customer_id,
        o.currency,
        o.period,
        a.base_order_id,
        a.service_type_code,
        a.resource_type_code,
        min(a.id) as first_id,
        count(*) as times,
        a.amount_e8
    from checked_orders as o
    inner join refund_attributions as a
        on a.account = o.account and a.refund_order_id = o.order_id and a.gone_since is null
    where a.amount_e8 <> 0
    group by
        o.account, o.order_id, o.customer_id, o.currency, o.period,
        a.base_order_id, a.service_type_code, a.resource_type_code, a.region_code, a.amount_e8
    having count(*) > 1
),
counted_alike as (
    select
        a.*,
        (
            select max(q.quantity)
            from (
                select sum(coalesce(l.subscription_num, 1)) as quantity
                from order_lines as l
                where l.account = a.account
                    and l.order_id in (a.order_id, a.base_order_id)
                    and l.service_type_code is a.service_type_code
                    and l.commercial_resource is a.resource_type_code
                    and l.gone_since is null
                group by l.order_id
            ) as q
        ) as quantity
    from alike as a
),
-- What each refund order gives back of each original order.
nets as (
    select
        o.account,
        o.order_id,
        o.customer_id,
        o.currency,
        o.period,
        o.event_time,
        a.base_order_id,
        -sum(coalesce(a.amount_e8, 0)) as net_e8
    from checked_orders as o
    inner join refund_attributions as a
        on a.account = o.account and a.refund_order_id = o.order_id and a.gone_since is null
    where a.base_order_id <> ''
    group by o.account, o.order_id, o.customer_id, o.currency, o.period, o.event_time, a.base_order_id
),
-- Other refund orders that give back the same of it. Looked up, because a joined view would be made for all orders first.
pairs as (
    select
        n.*,
        a.refund_order_id as other_id,
        (
            select r.event_time
            from known_orders as r
            where r.account = a.account and r.order_id = a.refund_order_id and r.gone_since is null
        ) as other_time
    from nets as n
    inner join refund_attributions as a
        on a.account = n.account
        and a.base_order_id = n.base_order_id
        and a.refund_order_id <> n.order_id
        and a.gone_since is null
    where n.net_e8 <> 0
        and n.net_e8 = (
            select -sum(coalesce(s.amount_e8, 0))
            from refund_attributions as s
            where s.account = a.account
                and s.refund_order_id = a.refund_order_id
                and s.base_order_id = a.base_order_id
                and s.gone_since is null
        )
),
-- Those of the day before, named by the later order; of three, the third has two earlier ones.
twins as (
    select
        account,
        order_id,
        customer_id,
        currency,
        period,
        base_order_id,
        net_e8,
        max(other_id) as other_id,
        count(distinct other_id) + 1 as times
    from pairs
    where unixepoch(event_time) - unixepoch(other_time) <= 86400
        and (other_time < event_time or other_time = event_time and other_id < order_id)
    group by account, order_id, customer_id, currency, period, base_order_id, net_e8
),
counted_twins as (
    select
        t.*,
        (
            select sum(coalesce(l.subscription_num, 1))
            from order_lines as l
            where l.account = t.account and l.order_id = t.base_order_id and l.gone_since is null
        ) as quantity
    from twins as t
),
found as (
    select
        account,
        customer_id,
        order_id || '/' || first_id as key,
        amount_e8 as expected_e8,
        amount_e8 * times as actual_e8,
        amount_e8 * (times - 1) as diff_e8,
        currency,
        period,
        printf('%d attributions are alike, and the lines are about %d such resource(s)', times, coalesce(quantity, 0)) as note
    from counted_alike
    where times > max(1, coalesce(quantity, 0))
    union all
    select
        account,
        customer_id,
        order_id || '/' || other_id || '/' || base_order_id,
        net_e8,
        net_e8 * times,
        net_e8 * (times - 1),
        currency,
        period,
        printf('%s gave back the same amount of %s within a day, and its lines are about %d resource(s)', other_id, base_order_id, coalesce(quantity, 0))
    from counted_twins
    where times > max(1, coalesce(quantity, 0))
)
select
    x.account,
    'RC06' as check_id,
    'error' as severity,
    x.customer_id,
    x.key,
    decimal(x.expected_e8) as expected,
    decimal(x.actual_e8) as actual,
    decimal(x.diff_e8) as diff,
    x.currency,
    x.period,
    (
        select b.first_seen
        from breaks as b
        where b.account = x.account and b.check_id = 'RC06' and b.key = x.key and b.resolved_at is null
    ) as first_seen,
    x.note,
    x.expected_e8,
    x.actual_e8,
    x.diff_e8
from found as x;
