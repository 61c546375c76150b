-- Every order the vendor still shows, with its signed amount, its month and whether it counts as spend. | 全部订单及其带符号金额、账期和是否计入支出。
-- What counts and with which sign: classified_orders_by_id.
create view classified_orders as
with
-- As in known_orders: two ways to a month.
dated as not materialized (
    select *, own_month as found_in
    from classified_orders_by_id
    where not is_dated_by_trade
    union all
    select *, trade_month
    from classified_orders_by_id
    where trade_id = parent_order_id and is_dated_by_trade
)
select
    account,
    order_id,
    parent_order_id,
    customer_id,
    payer,
    is_paid_by_other,
    service_type_code,
    service_type_name,
    source_type,
    order_type,
    status,
    contract_id,
    kind,
    not_counted_because,
    create_time,
    payment_time,
    event_time,
    event_time_is_estimated,
    found_in as month,
    currency,
    amount_after_discount_e8,
    official_amount_e8,
    signed_amount_e8,
    coupon_amount_e8,
    flexipurchase_coupon_amount_e8,
    stored_card_amount_e8,
    coupon_effect_e8,
    commission_e8,
    consumed_e8
from dated;
