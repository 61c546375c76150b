-- RC17 paid order without resource | 已支付订单缺少资源
-- severity: warn
-- tolerance: 24 hours
-- needs: orders, order_lines, resources
-- A break means that the link was not read, or something was paid for that does not exist. | 差异说明关联未读取，或已付款但无对应资源。
--
-- A completed purchase, renewal or conversion, older than a day, that no resource was ever shown for. Not meant: orders that
-- wait to be asked for; one-off items; terms that are over or were given back, because released resources are no longer
-- listed; services of which the account never had a resource, like packages and support plans.
create view check_rc17_paid_order_without_resource as
with
bare as (
    select o.*
    from checked_orders as o
    where o.status = 5
        and o.order_type in (1, 2, 11, 14)
        and o.event_time < strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-1 day')
        and o.not_counted_because is not 'combined trade: its members count'
        and not exists (
            select 1
            from order_resources as l
            where l.account = o.account and l.order_id in (o.order_id, o.parent_order_id)
        )
        and not exists (
            select 1
            from queue as q
            where q.account = o.account
                and q.stream = 'resources'
                and q.parent_id in (o.order_id, o.parent_order_id)
                and q.not_before <= strftime('%Y-%m-%dT%H:%M:%SZ', 'now')
        )
),
found as (
    select
        account,
        customer_id,
        order_id as key,
        'a resource' as expected,
        'none' as actual,
        amount_after_discount_e8 as diff_e8,
        currency,
        period,
        'service ' || coalesce(service_type_code, '(unknown)') as note
    from bare as o
    where not exists (
            select 1
            from refund_attributions as a
            where a.account = o.account and a.base_order_id = o.order_id and a.gone_since is null
        )
        and exists (
            select 1
            from order_lines as l
            inner join resources as r on r.account = l.account and r.service_type_code = l.service_type_code
            where l.account = o.account
                and (l.order_id = o.order_id or l.requested_order_id = o.order_id)
                and l.period_type is not 5
                and l.gone_since is null
                and coalesce(nullif(l.expire_time, ''), '9999') > strftime('%Y-%m-%dT%H:%M:%SZ', 'now')
        )
)
select
    x.account,
    'RC17' as check_id,
    'warn' as severity,
    x.customer_id,
    x.key,
    x.expected,
    x.actual,
    decimal(x.diff_e8) as diff,
    x.currency,
    x.period,
    (
        select b.first_seen
        from breaks as b
        where b.account = x.account and b.check_id = 'RC17' and b.key = x.key and b.resolved_at is null
    ) as first_seen,
    x.note,
    null as expected_e8,
    null as actual_e8,
    x.diff_e8
from found as x;
