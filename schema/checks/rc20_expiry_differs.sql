-- RC20 expiry differs | 到期时间不一致
-- severity: warn
-- tolerance: 1 day
-- needs: orders, order_lines, refund_attributions, resources
-- A break means that an order that renewed the resource is missing. | 差异说明缺少续费订单。
--
-- A resource that expires at another time than the latest of the lines that paid for it: those of its orders, of its service
-- and type. Which of several such resources of an order was given back is not known, so the latest term with or without
-- refunded orders is right, and any of the terms in the order that has it.
create view check_rc20_expiry_differs as
with
-- Terms paid for, and whether something of their order was given back (a downgrade gives back none of the term).
terms as (
    select
        r.account,
        r.resource_id,
        nullif(r.asked_customer_id, '') as customer_id,
        r.expire_time,
        r.expire_policy,
        o.order_id,
        l.expire_time as paid_until,
        exists (
            select 1
            from refund_attributions as a
            inner join orders as f on f.account = a.account and f.order_id = a.refund_order_id
            where a.account = o.account
                and a.base_order_id in (o.order_id, l.order_id)
                and a.gone_since is null
                and f.order_type in (4, 10)
        ) as is_refunded
    from resources as r
    inner join order_resources as x on x.account = r.account and x.resource_id = r.resource_id and x.gone_since is null
    inner join orders as o on o.account = x.account and o.order_id = x.order_id and o.gone_since is null
    inner join order_lines as l
        on (
            (l.account = o.account and l.requested_order_id = o.order_id)
            -- The + keeps SQLite from looking up the account alone, which is a scan.
            or (l.account = +o.account and l.order_id = o.order_id)
        )
        and l.service_type_code = r.service_type_code
        and l.commercial_resource = r.resource_type_code
        and l.gone_since is null
    where r.gone_since is null
        and r.status in (2, 4, 5)
        and r.expire_time <> ''
        and l.expire_time <> ''
        and o.order_type in (1, 2, 3, 11, 13, 14)
        and coalesce(o.status, 5) = 5
),
latest as (
    select
        account,
        resource_id,
        customer_id,
        expire_time,
        expire_policy,
        max(paid_until) as latest,
        max(iif(is_refunded, null, paid_until)) as latest_kept
    from terms
    group by account, resource_id, customer_id, expire_time, expire_policy
),
found as (
    select
        account,
        customer_id,
        resource_id as key,
        coalesce(latest_kept, latest) as expected,
        expire_time as actual,
        null as diff,
        null as currency,
        '' as period,
        'a common expiry date, days of compensation or use in the grace period move it as well' as note
    from latest as l
    where abs(unixepoch(expire_time) - unixepoch(latest)) > 86400
        and abs(unixepoch(expire_time) - unixepoch(coalesce(latest_kept, latest))) > 86400
        and not exists (
            select 1
            from terms as t
            inner join terms as same
                on same.account = t.account and same.resource_id = t.resource_id and same.order_id = t.order_id
            where t.account = l.account
                and t.resource_id = l.resource_id
                and t.paid_until = l.latest
                and abs(unixepoch(same.paid_until) - unixepoch(l.expire_time)) <= 86400
        )
)
select
    x.account,
    'RC20' as check_id,
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
        where b.account = x.account and b.check_id = 'RC20' and b.key = x.key and b.resolved_at is null
    ) as first_seen,
    x.note,
    null as expected_e8,
    null as actual_e8,
    null as diff_e8
from found as x;
