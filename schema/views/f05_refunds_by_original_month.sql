-- F05: money refunded in a month, by the month of the order it was once paid with. | 本月退款，按原订单账期。
-- Positive is money back; per month it adds up to the refunds of F01 with the sign turned. Members that are no months:
-- '(before history)' for orders this warehouse does not know, '(not attributed)' for what the attributions of a refund order
-- do not explain; whether these belong to an earlier period is unknown (null).
create view f05_refunds_by_original_month as
with
-- Refund orders of the spend.
refund_orders as (
    select account, order_id, month, currency, coalesce(signed_amount_e8, 0) as signed_amount_e8
    from counted_orders
    where kind = 'refund'
),
-- Their attributions. The original order's month stays what it was when the vendor stops showing that order.
attributed as (
    select
        r.account,
        r.order_id,
        r.month as refund_month,
        r.currency,
        coalesce(
            (
                select b.month from known_orders as b where b.account = a.account and b.order_id = a.base_order_id
            ),
            '(before history)'
        ) as original_month,
        -coalesce(a.amount_e8, 0) as refunded_e8
    from refund_orders as r
    inner join refund_attributions as a
        on a.account = r.account
        and a.refund_order_id = r.order_id
        and a.gone_since is null
        -- Another unit than the main one would be a wrong sum: it shows as not attributed.
        and coalesce(a.measure_id, 1) = 1
),
-- What was attributed of each refund order.
attributed_by_order as (
    select account, order_id, sum(refunded_e8) as refunded_e8
    from attributed
    group by account, order_id
),
-- Attributions, and what they leave of each refund order.
members as (
    select account, order_id, refund_month, currency, original_month, refunded_e8
    from attributed
    union all
    select
        r.account,
        r.order_id,
        r.month,
        r.currency,
        '(not attributed)',
        -r.signed_amount_e8 - coalesce(a.refunded_e8, 0)
    from refund_orders as r
    left join attributed_by_order as a on a.account = r.account and a.order_id = r.order_id
    where -r.signed_amount_e8 <> coalesce(a.refunded_e8, 0)
),
-- One row per refund month and original month.
sums as (
    select
        account,
        refund_month,
        currency,
        original_month,
        original_month not like '(%' as has_original_month,
        count(distinct order_id) as refund_orders,
        sum(refunded_e8) as refunded_e8
    from members
    group by account, refund_month, currency, original_month
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
from sums;
