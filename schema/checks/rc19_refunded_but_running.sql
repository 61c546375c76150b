-- RC19 refunded but running | 已退款但资源仍在使用
-- severity: warn
-- tolerance: T1
-- needs: orders, refund_attributions, resources
-- A break means that a refund or the release of a resource did not finish. | 差异说明退款或资源释放未完成。
--
-- A resource in use although what was paid for every order that bought, renewed or changed it came back: the price less
-- 代金券, which are not returned.
create view check_rc19_refunded_but_running as
with
-- Orders with a price that are linked to a resource in use. Cross joins keep SQLite from beginning with the orders.
paid as (
    select
        r.account,
        r.resource_id,
        nullif(r.asked_customer_id, '') as customer_id,
        o.order_id,
        o.currency,
        o.amount_after_discount_e8 - coalesce(o.coupon_amount_e8, 0) as paid_e8
    from resources as r
    cross join order_resources as l on l.account = r.account and l.resource_id = r.resource_id and l.gone_since is null
    cross join orders as o on o.account = l.account and o.order_id = l.order_id and o.gone_since is null
    where r.gone_since is null
        and r.status = 2
        and o.order_type in (1, 2, 3, 11, 14)
        and o.status = 5
        and o.amount_after_discount_e8 > 0
),
-- What came back of each.
refunded as (
    select
        p.*,
        (
            select -sum(coalesce(a.amount_e8, 0))
            from refund_attributions as a
            where a.account = p.account and a.base_order_id = p.order_id and a.gone_since is null
        ) as refunded_e8
    from paid as p
),
found as (
    select
        account,
        customer_id,
        resource_id as key,
        'released' as expected,
        'in use' as actual,
        null as diff,
        null as currency,
        '' as period,
        printf('its %d order(s) were refunded in full', count(*)) as note
    from refunded
    group by account, customer_id, resource_id
    having count(*) = sum(refunded_e8 > 0 and refunded_e8 >= paid_e8 - 1000000)
)
select
    x.account,
    'RC19' as check_id,
    'warn' as severity,
    x.customer_id,
    x.key,
    x.expected,
    x.actual,
    x.diff,
    x.currency,
    x.period,
    (
        select b.first_seen
        from breaks as b
        where b.account = x.account and b.check_id = 'RC19' and b.key = x.key and b.resolved_at is null
    ) as first_seen,
    x.note,
    null as expected_e8,
    null as actual_e8,
    null as diff_e8
from found as x;
