-- The orders that make up the spend, to be looked up by their ids: the rows of counted_orders. | 构成支出的订单，用于按订单ID查找，内容与 counted_orders 相同。
create view counted_orders_by_id as
select
    account,
    order_id,
    parent_order_id,
    customer_id,
    payer,
    is_paid_by_other,
    service_type_code,
    service_type_name,
    order_type,
    status,
    kind,
    create_time,
    event_time,
    event_time_is_estimated,
    month,
    currency,
    signed_amount_e8,
    official_amount_e8,
    coupon_amount_e8,
    flexipurchase_coupon_amount_e8,
    stored_card_amount_e8,
    coupon_effect_e8,
    commission_e8,
    consumed_e8
from classified_orders_by_id
where not_counted_because is null;
