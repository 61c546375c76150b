-- F13: what changed since a month was closed, order by order. | 上次结账后的变化，逐单列示。
-- A month is closed at 10:00 (UTC+8) of the 4th of the next month; for partners the same. Each row moves the net spend of its
-- month: the differences of a month add up to its figure of today (F01, by customer F02) less the one that was known when it
-- was closed (`where as_of = …`). An order that went to another month has a row in both; one that went to another customer or
-- currency has two in its month, what is gone there and what came here.
-- Orders that changed without moving a figure are in the view changes, and months that were closed before the account was
-- first read are not here: there was no figure.
create view f13_changes_since_close as
with
-- What counted then, and what counts now.
sides as (
    select account, month, closed_at, currency, order_id, customer_id, status, signed_amount_e8, null as new_amount_e8
    from counted_at_close
    union all
    select distinct
        n.account, n.month, m.closed_at, n.currency, n.order_id, n.customer_id, null, null, coalesce(n.signed_amount_e8, 0)
    from moved_orders as m
    cross join counted_orders as n on n.account = m.account and n.order_id = m.order_id and n.month = m.month
),
-- Beside each other. Windows and no 'group by', so that a filter on the month reaches the orders.
compared as (
    select distinct
        account,
        month,
        closed_at,
        currency,
        order_id,
        customer_id,
        max(status) over both_sides as old_status,
        max(signed_amount_e8) over both_sides as old_amount_e8,
        max(new_amount_e8) over both_sides as new_amount_e8
    from sides
    window both_sides as (partition by account, month, closed_at, currency, order_id, customer_id)
),
-- With the order as it is now, when it was first seen, and when it last changed.
dated as (
    select
        c.*,
        coalesce(c.new_amount_e8, 0) - coalesce(c.old_amount_e8, 0) as difference_e8,
        r.started_at as first_seen,
        coalesce(
            (
                select h.ended_at
                from orders_history as h
                where h.account = c.account and h.order_id = c.order_id
                order by h.ended_at desc
                limit 1
            ),
            r.started_at
        ) as last_changed,
        o.status,
        o.gone_since
    from compared as c
    left join orders as o on o.account = c.account and o.order_id = c.order_id
    left join runs as r on r.run_id = o.first_seen_run
    where c.old_amount_e8 is not c.new_amount_e8
)
select
    account,
    month,
    closed_at, -- when the month was closed, UTC | 结账时间（UTC）
    currency,
    order_id,
    customer_id,
    case
        when first_seen > closed_at then 'new'
        when gone_since is not null then 'gone'
        else 'changed'
    end as change, -- 'new', 'changed' or 'gone' since the close | 结账后的变化：new 新增，changed 变化，gone 消失
    first_seen, -- when the order was first seen, UTC | 首次发现时间（UTC）
    last_changed, -- when the order itself last changed, UTC | 订单最近变化时间（UTC）
    old_status, -- order status when the month was closed; null: it did not count | 结账时的订单状态，未计入时为空
    status, -- order status now | 当前订单状态
    decimal(old_amount_e8) as old_amount, -- signed amount when the month was closed; null: it did not count | 结账时的带符号金额，未计入时为空
    decimal(new_amount_e8) as new_amount, -- signed amount now; null: it does not count in the month | 当前带符号金额，不计入该账期时为空
    decimal(difference_e8) as difference, -- what the figure of the month moved by | 对该账期数字的影响
    old_amount_e8,
    new_amount_e8,
    difference_e8
from dated;
