-- F05: money refunded in a month, by the month of the order it was once paid with. | 本月退款中属于以前期间的部分。
-- Positive is money back; per month it adds up to the refunds of F01 with the sign turned. Members that are no months:
-- '(before history)' for orders this warehouse does not know, '(not attributed)' for what the attributions of a refund order
-- do not explain; whether these belong to an earlier period is unknown (null).
create view f05_refunds_by_original_month as
with
-- Refund orders of the spend. Not materialized, because that would be those of all months.
refund_orders as not materialized (
    select account, order_id, month, currency, coalesce(signed_amount_e8, 0) as signed_amount_e8
    from counted_orders
    where kind = 'refund'
),
-- Their attributions. The original order's month stays what it was when the vendor stops showing that order. A cross join
-- keeps SQLite from beginning with the attributions of the whole account.
attributed as (
    select
        r.account,
        r.order_id,
        r.month as refund_month,
        r.currency,
        coalesce(
            (
                select b.month from known_orders_by_id as b where b.account = a.account and b.order_id = a.base_order_id
            ),
            '(before history)'
        ) as original_month,
        -coalesce(a.amount_e8, 0) as refunded_e8
    from refund_orders as r
    cross join refund_attributions as a
        on a.account = r.account
        and a.refund_order_id = r.order_id
        and a.gone_since is null
        -- Another unit than the main one would be a wrong sum: it shows as not attributed.
        and coalesce(a.measure_id, 1) = 1
),
-- What the attributions leave of each refund order.
rests as (
    select
        r.*,
        -r.signed_amount_e8 + coalesce(
            (
                select sum(a.amount_e8)
                from refund_attributions as a
                where a.account = r.account
                    and a.refund_order_id = r.order_id
                    and a.gone_since is null
                    and coalesce(a.measure_id, 1) = 1
            ),
            0
        ) as refunded_e8
    from refund_orders as r
),
members as (
    select account, order_id, refund_month, currency, original_month, refunded_e8
    from attributed
    union all
    select account, order_id, month, currency, '(not attributed)', refunded_e8
    from rests
    where refunded_e8 <> 0
),
-- Running sums per refund month and original month; the last row has them all. Windows and no 'group by', because a filter
-- on the month goes down to the orders through the one and not through the other.
sums as (
    select
        account,
        refund_month,
        currency,
        original_month,
        original_month not like '(%' as has_original_month,
        lead(order_id) over months is null as is_last,
        dense_rank() over months as refund_orders,
        sum(refunded_e8) over months as refunded_e8
    from members
    window months as (partition by account, refund_month, currency, original_month order by order_id)
)
select
    account,
    refund_month,
    currency,
    original_month,
    iif(has_original_month, original_month < refund_month, null) as is_earlier_period, -- 1: of an earlier month; null: unknown | 是否属于以前月份，空表示未知
    -- Months of a year as quarters 0 to 3.
    iif(
        has_original_month,
        substr(original_month, 1, 4) * 4 + (substr(original_month, 6, 2) - 1) / 3
        < substr(refund_month, 1, 4) * 4 + (substr(refund_month, 6, 2) - 1) / 3,
        null
    ) as is_earlier_quarter, -- 1: of an earlier quarter; null: unknown | 是否属于以前季度，空表示未知
    iif(has_original_month, substr(original_month, 1, 4) < substr(refund_month, 1, 4), null)
        as is_earlier_year, -- 1: of an earlier year; null: unknown | 是否属于以前年度，空表示未知
    refund_orders,
    decimal(refunded_e8) as refunded,
    refunded_e8
from sums
where is_last;
