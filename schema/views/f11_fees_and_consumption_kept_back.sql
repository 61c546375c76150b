-- F11: what the vendor kept back of the refunds of a month, as handling fee and as already consumed. | 退订手续费与已消费金额。
-- The net refund is what the attributions of a refund order say came back: its own amount may be before fee and consumption
-- (account_models). It is that amount where nothing is attributed.
create view f11_fees_and_consumption_kept_back as
with
-- Refund orders with what came back.
refunds as not materialized (
    select
        o.account,
        o.month,
        o.currency,
        o.commission_e8,
        o.consumed_e8,
        coalesce(
            (
                select -sum(a.amount_e8)
                from refund_attributions as a
                where a.account = o.account
                    and a.refund_order_id = o.order_id
                    and a.gone_since is null
                    -- Another unit than the main one would be a wrong sum.
                    and coalesce(a.measure_id, 1) = 1
            ),
            -o.signed_amount_e8,
            0
        ) as net_refund_e8
    from counted_orders as o
    where o.kind = 'refund'
),
-- One row per month and currency. Windows and no 'group by', because a filter on the month goes down to the orders
-- through the one and not through the other.
sums as (
    select distinct
        account,
        month,
        currency,
        count(*) over of_month as refund_orders,
        sum(commission_e8) over of_month as commission_e8,
        sum(consumed_e8) over of_month as consumed_e8,
        sum(net_refund_e8) over of_month as net_refund_e8
    from refunds
    window of_month as (partition by account, month, currency)
)
select
    account,
    month,
    currency,
    refund_orders,
    decimal(commission_e8) as commission,
    decimal(consumed_e8) as consumed,
    decimal(net_refund_e8) as net_refund,
    -- The fee as a part of what would have come back without any deduction.
    round(100.0 * commission_e8 / nullif(net_refund_e8 + consumed_e8 + commission_e8, 0), 2)
        as fee_rate_percent, -- fee as a part of refund, consumption and fee | 手续费率 | unit: percent
    commission_e8,
    consumed_e8,
    net_refund_e8
from sums;
