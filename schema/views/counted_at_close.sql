-- What counted in a month when it was closed, of the orders that moved since. | 结账时计入账期、此后有变化的订单。
-- The rules are those of known_orders and classified_orders, applied to the rows of then; a test holds the two together. The
-- row of then is the first one that was replaced since, else the one of now, each looked up by its key. Rows that somebody
-- deleted by hand are not looked for.
create view counted_at_close as
with
-- Orders that were known when the month was closed, and which replaced row is the one of then; the same of their trades.
found as not materialized (
    select
        m.account,
        m.order_id,
        m.month,
        m.closed_at,
        (
            select h.version
            from orders_history as h
            where h.account = m.account and h.order_id = m.order_id and h.ended_at > m.closed_at
            order by h.ended_at, h.version
            limit 1
        ) as version_of_then
    from moved_orders as m
    cross join orders as o on o.account = m.account and o.order_id = m.order_id
    inner join runs as r on r.run_id = o.first_seen_run and r.started_at <= m.closed_at
),
own as not materialized (
    select
        f.account,
        f.order_id,
        f.month,
        f.closed_at,
        iif(h.order_id is null, o.parent_order_id, h.parent_order_id) as parent_order_id,
        iif(h.order_id is null, o.customer_id, h.customer_id) as customer_id,
        iif(h.order_id is null, o.order_type, h.order_type) as order_type,
        iif(h.order_id is null, o.status, h.status) as status,
        iif(h.order_id is null, o.measure_id, h.measure_id) as measure_id,
        iif(h.order_id is null, o.amount_after_discount_e8, h.amount_after_discount_e8) as amount_after_discount_e8,
        iif(h.order_id is null, o.currency, h.currency) as currency,
        iif(h.order_id is null, o.create_time, h.create_time) as create_time,
        iif(h.order_id is null, o.payment_time, h.payment_time) as payment_time,
        iif(h.order_id is null, o.gone_since, h.gone_since) as gone_since
    from found as f
    inner join orders as o on o.account = f.account and o.order_id = f.order_id
    left join orders_history as h
        on h.account = f.account and h.order_id = f.order_id and h.ended_at > f.closed_at and h.version = f.version_of_then
),
-- With the trade of then, if it was known.
with_trade as not materialized (
    select
        w.*,
        iif(h.order_id is null, p.customer_id, h.customer_id) as trade_customer_id,
        iif(h.order_id is null, p.order_type, h.order_type) as trade_order_type,
        iif(h.order_id is null, p.status, h.status) as trade_status,
        iif(h.order_id is null, p.measure_id, h.measure_id) as trade_measure_id,
        iif(h.order_id is null, p.currency, h.currency) as trade_currency,
        iif(h.order_id is null, p.create_time, h.create_time) as trade_create_time,
        iif(h.order_id is null, p.payment_time, h.payment_time) as trade_payment_time
    from own as w
    left join orders as p
        on p.account = w.account and p.order_id = w.parent_order_id
        and (select r.started_at from runs as r where r.run_id = p.first_seen_run) <= w.closed_at
    left join orders_history as h
        on h.account = p.account and h.order_id = p.order_id and h.ended_at > w.closed_at
        and h.version = (
            select t.version
            from orders_history as t
            where t.account = w.account and t.order_id = w.parent_order_id and t.ended_at > w.closed_at
            order by t.ended_at, t.version
            limit 1
        )
    where w.gone_since is null
),
-- Missing values filled in from the trade.
filled as not materialized (
    select
        account,
        order_id,
        month,
        closed_at,
        amount_after_discount_e8,
        coalesce(nullif(customer_id, ''), nullif(trade_customer_id, ''), '(not allocated)') as customer_id,
        coalesce(order_type, trade_order_type) as order_type,
        coalesce(status, trade_status) as status,
        coalesce(measure_id, trade_measure_id) as measure_id,
        coalesce(nullif(currency, ''), nullif(trade_currency, ''), '(unknown)') as currency,
        coalesce(nullif(create_time, ''), nullif(trade_create_time, '')) as create_time,
        coalesce(nullif(payment_time, ''), nullif(trade_payment_time, '')) as payment_time
    from with_trade
),
-- Purchase or refund, and the sign that follows from it.
signed as not materialized (
    select
        *,
        case
            when order_type in (4, 10) then 'refund'
            when order_type = 3 and amount_after_discount_e8 < 0 then 'refund'
            when order_type in (1, 2, 3, 11, 14, 15) then 'purchase'
        end as kind,
        case
            when order_type in (4, 10) then -abs(amount_after_discount_e8)
            else amount_after_discount_e8
        end as signed_amount_e8
    from filled
)
-- An order may be found in several ways.
select distinct
    account,
    month,
    closed_at, -- when the month was closed, UTC | 结账时间（UTC）
    currency,
    order_id,
    customer_id,
    status,
    coalesce(signed_amount_e8, 0) as signed_amount_e8 -- signed amount of then | 结账时的带符号金额
from signed as s
where
    strftime('%Y-%m', coalesce(payment_time, create_time), '+8 hours') = month
    and coalesce(measure_id, 1) = 1
    and status is not 4
    and ((kind = 'refund' and status = 5) or (kind = 'purchase' and payment_time is not null))
    -- A combined trade contains the amounts of its members: only one of the two may count. Members of now, as they were
    -- then, and rows of then that were members.
    and not exists (
        select 1
        from orders as member
        inner join runs as r on r.run_id = member.first_seen_run and r.started_at <= s.closed_at
        where member.account = s.account and member.parent_order_id = s.order_id and member.order_id <> s.order_id
            and member.gone_since is null
            and not exists (
                select 1
                from orders_history as h
                where h.account = member.account and h.order_id = member.order_id and h.ended_at > s.closed_at
            )
    )
    and not exists (
        select 1
        from orders_history as member
        inner join runs as r on r.run_id = member.first_seen_run and r.started_at <= s.closed_at
        where member.account = s.account and member.parent_order_id = s.order_id and member.order_id <> s.order_id
            and member.gone_since is null and member.ended_at > s.closed_at
            and not exists (
                select 1
                from orders_history as h
                where h.account = member.account and h.order_id = member.order_id and h.ended_at > s.closed_at
                    and (h.ended_at, h.version) < (member.ended_at, member.version)
            )
    );
