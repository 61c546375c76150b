-- Orders whose figure in a closed month may have moved since it was closed, and that month. | 结账后金额可能变化的订单及其账期。
-- A month is closed at 10:00 (UTC+8) of the 4th of the next month, when the vendor has closed it; partners' months too. Months
-- that were closed before the account was first read are left out: there were no figures. An order may have moved when its
-- row, its trade's or that of one of its members was replaced or first seen since. A row may be there more than once.
create view moved_orders as
with
-- What replaced rows say of their months.
replaced as not materialized (
    select
        account,
        order_id,
        parent_order_id,
        -- Written as in known_orders_by_id and its index, to the letter.
        strftime('%Y-%m', ltrim(coalesce(nullif(payment_time, ''), nullif(create_time, '')), 'NnSs'), '+8 hours') as month
    from orders_history
),
-- What orders of now say of theirs.
standing as not materialized (
    select
        account,
        order_id,
        strftime('%Y-%m', ltrim(coalesce(nullif(payment_time, ''), nullif(create_time, '')), 'NnSs'), '+8 hours') as month
    from orders
),
-- Each order with the months it has and had: its own, and those of its trades, whose month a member may have. Crosswise, so
-- that SQLite begins with the month.
placed as not materialized (
    select account, order_id, month
    from known_orders
    union all
    select account, order_id, month
    from replaced
    union all
    select t.account, o.order_id, t.month
    from replaced as t
    cross join orders as o on o.account = t.account and o.parent_order_id = t.order_id
    union all
    select t.account, h.order_id, t.month
    from standing as t
    cross join orders_history as h on h.account = t.account and h.parent_order_id = t.order_id
    union all
    select t.account, h.order_id, t.month
    from replaced as t
    cross join orders_history as h on h.account = t.account and h.parent_order_id = t.order_id
),
dated as not materialized (
    select account, order_id, month, strftime('%Y-%m-%dT02:00:00Z', month || '-04', '+1 month') as closed_at
    from placed
)
select
    account,
    order_id,
    month,
    closed_at -- when the month was closed, UTC | 结账时间（UTC）
from dated as d
where
    closed_at <= strftime('%Y-%m-%dT%H:%M:%SZ', 'now')
    -- The account's first run; runs are numbered in their order.
    and closed_at >= (
        select r.started_at
        from runs as r not indexed
        where r.account = d.account and r.stream = 'orders'
        order by r.run_id
        limit 1
    )
    -- Joins in this order: the order itself is found by its key, and what belongs to it from there.
    and (
        exists (
            select 1
            from orders_history as h
            where h.account = d.account and h.order_id = d.order_id and h.ended_at > d.closed_at
        )
        or exists (
            select 1
            from orders as o
            cross join runs as r on r.run_id = o.first_seen_run
            where o.account = d.account and o.order_id = d.order_id and r.started_at > d.closed_at
        )
        -- Its trade.
        or exists (
            select 1
            from orders as o
            cross join orders_history as h on h.account = o.account and h.order_id = o.parent_order_id
            where o.account = d.account and o.order_id = d.order_id and h.ended_at > d.closed_at
        )
        or exists (
            select 1
            from orders as o
            cross join orders as p on p.account = o.account and p.order_id = o.parent_order_id
            cross join runs as r on r.run_id = p.first_seen_run
            where o.account = d.account and o.order_id = d.order_id and r.started_at > d.closed_at
        )
        -- Its members.
        or exists (
            select 1
            from orders_history as h
            where h.account = d.account and h.parent_order_id = d.order_id and h.ended_at > d.closed_at
        )
        or exists (
            select 1
            from orders as o
            cross join runs as r on r.run_id = o.first_seen_run
            where o.account = d.account and o.parent_order_id = d.order_id and r.started_at > d.closed_at
        )
        or exists (
            select 1
            from orders as o
            cross join orders_history as h on h.account = o.account and h.order_id = o.order_id
            where o.account = d.account and o.parent_order_id = d.order_id and h.ended_at > d.closed_at
        )
    );
