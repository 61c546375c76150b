-- RC13 impossible times | 时间异常
-- severity: error
-- tolerance: 5 minutes
-- needs: orders, order_lines, resources
-- A break means that times are decoded wrongly or in another time zone. | 差异说明时间解析或时区有误。
--
-- An order paid before it was created; a line or resource that expires before it begins; anything that happened more than a
-- day after the vendor showed it, by the vendor's clock. Times of service may lie ahead: renewals begin at the old expiry.
create view check_rc13_impossible_times as
with
orders_found as (
    select
        o.account,
        o.customer_id,
        o.order_id || '/payment' as key,
        'at or after ' || o.create_time as expected,
        o.payment_time as actual,
        o.period,
        'paid before it was created' as note
    from checked_orders as o
    where unixepoch(o.payment_time) < unixepoch(o.create_time) - 300
    union all
    select
        o.account,
        o.customer_id,
        o.order_id || '/future',
        'at or before ' || r.last_seen_at,
        max(coalesce(o.create_time, ''), coalesce(o.payment_time, '')),
        o.period,
        'created or paid after the vendor showed it'
    from checked_orders as o
    inner join orders as r on r.account = o.account and r.order_id = o.order_id
    where max(coalesce(o.create_time, ''), coalesce(o.payment_time, ''))
        > strftime('%Y-%m-%dT%H:%M:%SZ', r.last_seen_at, '+1 day')
),
lines_found as (
    select
        o.account,
        o.customer_id,
        l.order_line_item_id || '/term' as key,
        'after ' || l.effective_time as expected,
        l.expire_time as actual,
        o.period,
        'a line that expires before it begins' as note
    from checked_orders as o
    cross join order_lines as l
        on l.account = o.account and l.requested_order_id = o.order_id and l.gone_since is null
    where l.expire_time <= l.effective_time and l.expire_time <> ''
),
resources_found as (
    select
        account,
        nullif(asked_customer_id, '') as customer_id,
        resource_id || '/term' as key,
        'after ' || effective_time as expected,
        expire_time as actual,
        '' as period,
        'a resource that expires before it begins' as note
    from resources
    where gone_since is null and expire_time <= effective_time and expire_time <> ''
    union all
    select
        account,
        nullif(asked_customer_id, ''),
        resource_id || '/future',
        'at or before ' || last_seen_at,
        update_time,
        '',
        'changed after the vendor showed it'
    from resources
    where gone_since is null and update_time > strftime('%Y-%m-%dT%H:%M:%SZ', last_seen_at, '+1 day')
),
found as (
    select *
    from orders_found
    union all
    select *
    from lines_found
    union all
    select *
    from resources_found
)
select
    x.account,
    'RC13' as check_id,
    'error' as severity,
    x.customer_id,
    x.key,
    x.expected,
    x.actual,
    null as diff,
    null as currency,
    x.period,
    (
        select b.first_seen
        from breaks as b
        where b.account = x.account and b.check_id = 'RC13' and b.key = x.key and b.resolved_at is null
    ) as first_seen,
    x.note,
    null as expected_e8,
    null as actual_e8,
    null as diff_e8
from found as x;
