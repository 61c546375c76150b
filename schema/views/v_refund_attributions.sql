-- Every refund attribution the vendor still shows, readable. | 退款金额归属明细。
-- The month and the currency come from the refund order, the
-- original month from the order the money was once paid with. Negative is money back, positive was kept back.
create view v_refund_attributions as
with
-- Attributions with their two orders.
joined as (
    select
        a.account,
        a.refund_order_id,
        a.id,
        coalesce(nullif(a.customer_id, ''), r.customer_id) as customer_id,
        r.month as refund_month,
        iif(r.not_counted_because is null, r.kind, null) as counted_as,
        a.base_order_id,
        -- Looked up, because a joined view would be made for all orders first.
        (
            select b.month from known_orders_by_id as b where b.account = a.account and b.order_id = a.base_order_id
        ) as original_month,
        a.service_type_code,
        a.service_type_name,
        a.resource_type_code,
        a.resource_type_name,
        a.region_code,
        a.measure_id,
        r.currency,
        a.amount_e8,
        -a.amount_e8 as refunded_e8
    from refund_attributions as a
    left join classified_orders as r on r.account = a.account and r.order_id = a.refund_order_id
    where a.gone_since is null
)
select
    account,
    refund_order_id,
    id,
    customer_id,
    refund_month,
    counted_as,
    base_order_id,
    coalesce(original_month, '(before history)') as original_month,
    service_type_code,
    service_type_name,
    resource_type_code,
    resource_type_name,
    region_code,
    measure_id,
    iif(amount_e8 > 0, 'consumed or fee kept back', 'refunded') as meaning_en, -- what the amount is, in English | 金额含义（英文）
    iif(amount_e8 > 0, '已消费金额或手续费', '退款金额') as meaning_zh, -- what the amount is, in Chinese | 金额含义（中文）
    coalesce(currency, '(unknown)') as currency,
    decimal(amount_e8) as amount,
    decimal(refunded_e8) as refunded,
    amount_e8,
    refunded_e8
from joined;
