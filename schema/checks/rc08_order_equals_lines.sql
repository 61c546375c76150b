-- RC08 order equals lines | 订单与订单项核对
-- severity: error
-- tolerance: T1
-- needs: orders, order_lines
-- A break means that lines of the order are missing, or the order and its lines were read in different states. | 差异说明订单项缺失，或订单与订单项读取时状态不同。
--
-- An order whose amount or list price is not the sum of its lines, signs aside. All lines that were read with an order are
-- its own; lines that name a member of a combined trade are the member's as well. Orders whose lines were never read are
-- the business of RC29.
create view check_rc08_order_equals_lines as
with
-- Orders that were asked for, with all lines of the answer. Looked up order by order and not grouped: a filter on the period
-- would not reach the orders through a grouping.
asked as (
    select
        o.account,
        o.order_id,
        o.customer_id,
        o.currency,
        o.period,
        abs(o.amount_after_discount_e8) as amount_e8,
        abs(o.official_amount_e8) as official_e8,
        (
            select abs(coalesce(sum(l.amount_after_discount_e8), 0))
            from order_lines as l
            where l.account = o.account and l.requested_order_id = o.order_id and l.gone_since is null
        ) as lines_amount_e8,
        (
            select abs(coalesce(sum(l.official_amount_e8), 0))
            from order_lines as l
            where l.account = o.account and l.requested_order_id = o.order_id and l.gone_since is null
        ) as lines_official_e8,
        (
            select count(*)
            from order_lines as l
            where l.account = o.account and l.requested_order_id = o.order_id and l.gone_since is null
        ) as lines
    from checked_orders as o
    where o.parent_order_id is null
),
-- Members of combined trades that have lines: that name them, or name no order in an answer about the member itself. Written
-- as in the index order_lines_by_own_order.
members as (
    select
        o.account,
        o.order_id,
        o.customer_id,
        o.currency,
        o.period,
        abs(o.amount_after_discount_e8) as amount_e8,
        abs(o.official_amount_e8) as official_e8,
        (
            select abs(coalesce(sum(l.amount_after_discount_e8), 0))
            from order_lines as l
            where l.account = o.account
                and cast(coalesce(nullif(l.order_id, ''), l.requested_order_id) as text) = o.order_id
                and l.gone_since is null
        ) as lines_amount_e8,
        (
            select abs(coalesce(sum(l.official_amount_e8), 0))
            from order_lines as l
            where l.account = o.account
                and cast(coalesce(nullif(l.order_id, ''), l.requested_order_id) as text) = o.order_id
                and l.gone_since is null
        ) as lines_official_e8,
        (
            select count(*)
            from order_lines as l
            where l.account = o.account
                and cast(coalesce(nullif(l.order_id, ''), l.requested_order_id) as text) = o.order_id
                and l.gone_since is null
        ) as lines
    from checked_orders as o
    where o.parent_order_id is not null
        and exists (
            select 1
            from order_lines as l
            where l.account = o.account
                and cast(coalesce(nullif(l.order_id, ''), l.requested_order_id) as text) = o.order_id
                and l.gone_since is null
        )
),
summed as (
    select *
    from asked
    union all
    select *
    from members
),
differing as (
    select
        *,
        abs(amount_e8 - lines_amount_e8) > 1000000 * max(1, lines) as amount_differs,
        abs(official_e8 - lines_official_e8) > 1000000 * max(1, lines) as official_differs
    from summed
    -- Lines need not be counted where nothing differs.
    where (amount_e8 <> lines_amount_e8 or official_e8 <> lines_official_e8)
        and (
            abs(amount_e8 - lines_amount_e8) > 1000000 * max(1, lines)
            or abs(official_e8 - lines_official_e8) > 1000000 * max(1, lines)
        )
),
-- What was read of them: an order that waits to be read again has moved since.
read as not materialized (
    select
        d.*,
        h.amount_after_discount_e8 as head_amount_e8,
        h.official_amount_e8 as head_official_e8
    from differing as d
    left join order_details as h on h.account = d.account and h.order_id = d.order_id and h.gone_since is null
    where (d.lines > 0 or h.order_id is not null)
        and not exists (
            select 1
            from queue as q
            inner join orders as r on r.account = q.account and r.order_id = d.order_id
            where q.account = d.account
                and q.stream = 'order_lines'
                and q.parent_id in (r.order_id, r.parent_order_id)
                and q.not_before <= strftime('%Y-%m-%dT%H:%M:%SZ', 'now')
        )
),
found as (
    select
        account,
        customer_id,
        order_id as key,
        lines_amount_e8 as expected_e8,
        amount_e8 as actual_e8,
        amount_e8 - lines_amount_e8 as diff_e8,
        currency,
        period,
        printf('%d line(s)', lines)
        || iif(
            abs(abs(head_amount_e8) - lines_amount_e8) <= 1000000 * max(1, lines),
            '; they fit the order as its details show it: the list shows another amount',
            ''
        ) as note
    from read
    where amount_differs
    union all
    select
        account,
        customer_id,
        order_id || '/official_amount',
        lines_official_e8,
        official_e8,
        official_e8 - lines_official_e8,
        currency,
        period,
        printf('list price; %d line(s)', lines)
        || iif(
            abs(abs(head_official_e8) - lines_official_e8) <= 1000000 * max(1, lines),
            '; they fit the order as its details show it: the list shows another amount',
            ''
        )
    from read
    where official_differs
)
select
    x.account,
    'RC08' as check_id,
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
        where b.account = x.account and b.check_id = 'RC08' and b.key = x.key and b.resolved_at is null
    ) as first_seen,
    x.note,
    x.expected_e8,
    x.actual_e8,
    x.diff_e8
from found as x;
