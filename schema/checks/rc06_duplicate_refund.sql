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
-- The first of attributions that are alike, with the number of them. Nothing is grouped: a filter on the period would not
-- reach the orders through a grouping.
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
        a.id as first_id,
        a.amount_e8,
        (
            select count(*)
            from refund_attributions as b
            where b.account = a.account
                and b.refund_order_id = a.refund_order_id
                and +b.base_order_id is a.base_order_id
                and b.service_type_code is a.service_type_code
                and b.resource_type_code is a.resource_type_code
                and b.region_code is a.region_code
                and b.amount_e8 = a.amount_e8
                and b.gone_since is null
        ) as times
    from checked_orders as o
    cross join refund_attributions as a
        on a.account = o.account and a.refund_order_id = o.order_id and a.gone_since is null
    where a.amount_e8 <> 0
        and not exists (
            select 1
            from refund_attributions as b
            where b.account = a.account
                and b.refund_order_id = a.refund_order_id
                and b.id < a.id
                and +b.base_order_id is a.base_order_id
                and b.service_type_code is a.service_type_code
                and b.resource_type_code is a.resource_type_code
                and b.region_code is a.region_code
                and b.amount_e8 = a.amount_e8
                and b.gone_since is null
        )
),
-- With the number of things they may be about. A line is of the order it names, else of the one that was asked for, written
-- as in the index order_lines_by_own_order.
counted_alike as (
    select
        a.*,
        (
            select max(q.quantity)
            from (
                select sum(coalesce(l.subscription_num, 1)) as quantity
                from order_lines as l
                where l.account = a.account
                    and cast(coalesce(nullif(l.order_id, ''), l.requested_order_id) as text)
                    in (a.order_id, a.base_order_id)
                    and l.service_type_code is a.service_type_code
                    and l.commercial_resource is a.resource_type_code
                    and l.gone_since is null
                group by cast(coalesce(nullif(l.order_id, ''), l.requested_order_id) as text)
            ) as q
        ) as quantity
    from alike as a
    where a.times > 1
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
        (
            select -sum(coalesce(s.amount_e8, 0))
            from refund_attributions as s
            where s.account = a.account
                and s.refund_order_id = a.refund_order_id
                -- The + keeps off the index: a refund names few orders, but an order may be named by many.
                and +s.base_order_id = a.base_order_id
                and s.gone_since is null
        ) as net_e8
    from checked_orders as o
    cross join refund_attributions as a
        on a.account = o.account and a.refund_order_id = o.order_id and a.gone_since is null
    where a.base_order_id <> ''
        and not exists (
            select 1
            from refund_attributions as b
            where b.account = a.account
                and b.refund_order_id = a.refund_order_id
                and +b.base_order_id = a.base_order_id
                and b.id < a.id
                and b.gone_since is null
        )
        -- Another refund order names it as well.
        and exists (
            select 1
            from refund_attributions as b
            where b.account = a.account
                and b.base_order_id = a.base_order_id
                and b.refund_order_id <> a.refund_order_id
                and b.gone_since is null
        )
),
-- The refund orders of the day before that give back the same of it: their number, and the last of them. Of three, the third
-- has two.
twins as (
    select
        n.*,
        (
            select json_object('times', count(distinct e.refund_order_id) + 1, 'other', max(e.refund_order_id))
            from (
                select
                    b.refund_order_id,
                    (
                        select r.event_time
                        from known_orders_by_id as r
                        where r.account = b.account and r.order_id = b.refund_order_id and r.gone_since is null
                    ) as event_time,
                    (
                        select -sum(coalesce(s.amount_e8, 0))
                        from refund_attributions as s
                        where s.account = b.account
                            and s.refund_order_id = b.refund_order_id
                            and +s.base_order_id = b.base_order_id
                            and s.gone_since is null
                    ) as net_e8
                from refund_attributions as b
                where b.account = n.account
                    and b.base_order_id = n.base_order_id
                    and b.refund_order_id <> n.order_id
                    and b.gone_since is null
            ) as e
            where e.net_e8 = n.net_e8
                and unixepoch(n.event_time) - unixepoch(e.event_time) <= 86400
                and (e.event_time < n.event_time or e.event_time = n.event_time and e.refund_order_id < n.order_id)
        ) as earlier
    from nets as n
    where n.net_e8 <> 0
),
counted_twins as (
    select
        t.*,
        t.earlier ->> '$.times' as times,
        t.earlier ->> '$.other' as other_id,
        (
            select sum(coalesce(l.subscription_num, 1))
            from order_lines as l
            where l.account = t.account
                and cast(coalesce(nullif(l.order_id, ''), l.requested_order_id) as text) = t.base_order_id
                and l.gone_since is null
        ) as quantity
    from twins as t
    where t.earlier ->> '$.times' > 1
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
        printf('%d attributions are alike, and the lines are about %d such resource(s)', times, coalesce(quantity, 0))
            as note
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
        printf(
            '%s gave back the same amount of %s within a day, and its lines are about %d resource(s)',
            other_id,
            base_order_id,
            coalesce(quantity, 0)
        )
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
