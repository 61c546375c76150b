-- RC28 late arrivals | 结账后到达或变化的数据
-- severity: warn
-- tolerance: T0
-- needs: orders, refund_attributions
-- A break means that the next open month needs an adjustment. | 差异说明需在下一个未结账期作调整。
--
-- An order that was first seen, changed or gone after a month was closed (10:00 of the 4th of the next month, UTC+8) and so
-- moved the net spend of that month: its figure when the month was closed, the one of now, and the difference, as in F13. An
-- order that moves to another month has a row in both. Its key has the version that follows the one of the close, which stays
-- what it is whatever follows. Months that were closed before the account was first read have no figure of their close:
-- there, each change of an order has a row, and each order that appeared in time that had been read; what a first load
-- brings is not late. An attribution that changed has a row in the month of its refund.
create view check_rc28_late_arrivals as
with
-- What moved since the close. The side of the close is always the same one, so it has the short key; the other one, when the
-- order went to another customer or currency, says so in its own.
moved as not materialized (
    select
        account,
        customer_id,
        order_id,
        month,
        closed_at,
        currency,
        change,
        first_seen,
        last_changed,
        coalesce(old_amount_e8, 0) as old_e8,
        coalesce(new_amount_e8, 0) as new_e8,
        iif(
            old_amount_e8 is null and count(*) over (partition by account, month, order_id) > 1,
            '/' || currency || '/' || customer_id,
            ''
        ) as side
    from f13_changes_since_close
),
-- With the version that follows the one of the close; the first one where there was none.
moved_versions as not materialized (
    select
        m.*,
        case
            when m.change = 'new' then 1
            else 1 + coalesce(
                (
                    select h.version
                    from orders_history as h
                    where h.account = m.account and h.order_id = m.order_id and h.ended_at > m.closed_at
                    order by h.ended_at, h.version
                    limit 1
                ),
                (select o.version from orders as o where o.account = m.account and o.order_id = m.order_id)
            )
        end as version
    from moved as m
    where m.new_e8 <> m.old_e8
),
-- Orders with more than one version, and those that appeared in time that had been read.
touched as (
    select
        account,
        order_id
    from orders_history
    union
    select
        account,
        order_id
    from late_orders
),
-- All their versions; the one of now has no end.
versions as (
    select
        account,
        order_id,
        parent_order_id,
        version,
        customer_id,
        order_type,
        status,
        measure_id,
        currency,
        amount_after_discount_e8,
        create_time,
        payment_time,
        gone_since,
        ended_at
    from orders_history
    union all
    select
        o.account,
        o.order_id,
        o.parent_order_id,
        o.version,
        o.customer_id,
        o.order_type,
        o.status,
        o.measure_id,
        o.currency,
        o.amount_after_discount_e8,
        o.create_time,
        o.payment_time,
        o.gone_since,
        null
    from touched as t
    inner join orders as o on o.account = t.account and o.order_id = t.order_id
),
-- Members are as their trade where they say nothing.
filled as (
    select
        v.account,
        v.order_id,
        v.version,
        v.ended_at,
        v.gone_since,
        coalesce(nullif(v.customer_id, ''), nullif(p.customer_id, ''), '(not allocated)') as customer_id,
        coalesce(nullif(v.currency, ''), nullif(p.currency, ''), '(unknown)') as currency,
        coalesce(v.order_type, p.order_type) as order_type,
        coalesce(v.status, p.status) as status,
        coalesce(v.measure_id, p.measure_id, 1) as measure_id,
        coalesce(nullif(v.payment_time, ''), nullif(p.payment_time, '')) as payment_time,
        coalesce(nullif(v.create_time, ''), nullif(p.create_time, '')) as create_time,
        coalesce(v.amount_after_discount_e8, 0) as amount_e8,
        exists (
            select 1
            from orders as m indexed by orders_by_parent
            where m.account = v.account
                and m.parent_order_id = v.order_id
                and m.order_id <> v.order_id
                and m.gone_since is null
        ) as has_members
    from versions as v
    left join orders as p on p.account = v.account and p.order_id = v.parent_order_id
),
-- What each version adds to the net spend of its month, by the rules of classified_orders.
valued as materialized (
    select
        account,
        order_id,
        version,
        ended_at,
        customer_id,
        currency,
        strftime('%Y-%m', coalesce(payment_time, create_time), '+8 hours') as month,
        case
            when gone_since is not null or has_members or measure_id <> 1 or status = 4 then 0
            when order_type in (4, 10) then iif(status = 5, -abs(amount_e8), 0)
            when order_type = 3 and amount_e8 < 0 then iif(status = 5, amount_e8, 0)
            when order_type in (1, 2, 3, 11, 14, 15) then iif(payment_time is null, 0, amount_e8)
            else 0
        end as counted_e8
    from filled
),
-- Each step from one version to the next, and the first appearance of late orders, when it was seen.
steps as (
    select
        n.account,
        n.order_id,
        n.version,
        n.customer_id,
        n.currency,
        o.ended_at as seen_at,
        o.month as old_month,
        o.counted_e8 as old_e8,
        n.month,
        n.counted_e8 as new_e8
    from valued as o
    inner join valued as n on n.account = o.account and n.order_id = o.order_id and n.version = o.version + 1
    union all
    select
        v.account,
        v.order_id,
        v.version,
        v.customer_id,
        v.currency,
        l.found_at,
        null,
        0,
        v.month,
        v.counted_e8
    from late_orders as l
    inner join valued as v on v.account = l.account and v.order_id = l.order_id and v.version = 1
),
-- What each step does to the months it touches, if these were closed before the account was first read.
effects as (
    select *
    from (
        select
            account,
            order_id,
            version,
            customer_id,
            currency,
            seen_at,
            month,
            iif(old_month = month, old_e8, 0) as old_e8,
            new_e8
        from steps
        union all
        select
            account,
            order_id,
            version,
            customer_id,
            currency,
            seen_at,
            old_month,
            old_e8,
            0
        from steps
        where old_month <> month
    ) as e
    where e.new_e8 <> e.old_e8
        and strftime('%Y-%m-%dT02:00:00Z', e.month || '-04', '+1 month') < coalesce(
            (
                select r.started_at
                from runs as r not indexed
                where r.account = e.account and r.stream = 'orders'
                order by r.run_id
                limit 1
            ),
            '9'
        )
),
-- What attributions give back, before and after a change.
attribution_steps as (
    select
        h.account,
        h.refund_order_id,
        h.id,
        h.version + 1 as version,
        h.ended_at as seen_at,
        iif(h.gone_since is null, -coalesce(h.amount_e8, 0), 0) as old_e8,
        iif(n.gone_since is null, -coalesce(n.amount_e8, 0), 0) as new_e8
    from refund_attributions_history as h
    inner join refund_attributions_history as n
        on n.account = h.account and n.refund_order_id = h.refund_order_id and n.id = h.id and n.version = h.version + 1
    union all
    select
        h.account,
        h.refund_order_id,
        h.id,
        h.version + 1,
        h.ended_at,
        iif(h.gone_since is null, -coalesce(h.amount_e8, 0), 0),
        iif(n.gone_since is null, -coalesce(n.amount_e8, 0), 0)
    from refund_attributions_history as h
    inner join refund_attributions as n
        on n.account = h.account and n.refund_order_id = h.refund_order_id and n.id = h.id and n.version = h.version + 1
),
attribution_effects as (
    select
        s.account,
        s.refund_order_id || '/attribution ' || s.id as name,
        s.version,
        o.customer_id,
        o.currency,
        s.seen_at,
        o.month,
        s.old_e8,
        s.new_e8
    from attribution_steps as s
    inner join known_orders as o on o.account = s.account and o.order_id = s.refund_order_id
    where s.old_e8 <> s.new_e8
),
found as (
    select
        account,
        customer_id,
        order_id || '/' || version || '/' || month || side as key,
        old_e8 as expected_e8,
        new_e8 as actual_e8,
        new_e8 - old_e8 as diff_e8,
        currency,
        month as period,
        case
            when change = 'new' then 'first seen ' || first_seen
            when last_changed > closed_at then change || ' ' || last_changed
            else 'moved with its combined trade'
        end as note
    from moved_versions
    union all
    select
        account,
        customer_id,
        order_id || '/' || version || '/' || month,
        old_e8,
        new_e8,
        new_e8 - old_e8,
        currency,
        month,
        iif(version = 1, 'first seen ', 'changed ') || seen_at
    from effects
    union all
    select
        account,
        customer_id,
        name || '/' || version,
        old_e8,
        new_e8,
        new_e8 - old_e8,
        currency,
        month,
        'attributed otherwise ' || seen_at
    from attribution_effects
    where seen_at > strftime('%Y-%m-%dT02:00:00Z', month || '-04', '+1 month')
)
select
    x.account,
    'RC28' as check_id,
    'warn' as severity,
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
        where b.account = x.account and b.check_id = 'RC28' and b.key = x.key and b.resolved_at is null
    ) as first_seen,
    x.note,
    x.expected_e8,
    x.actual_e8,
    x.diff_e8
from found as x;
