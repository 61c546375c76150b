-- The orders that make up the spend, each once, with their sign. | 构成支出的订单，每单一次，带符号。
-- Every question about spend starts here.
create view counted_orders as
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
from classified_orders
where not_counted_because is null;
