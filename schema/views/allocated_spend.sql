-- The spend by service. Whatever the lines do not explain is '(not allocated)', so that this adds up to counted_orders
-- exactly, order by order.
create view allocated_spend as
with
-- What the lines of an order leave unexplained.
residuals as (
    select
        account,
        order_id,
        customer_id,
        kind,
        month,
        currency,
        coalesce(order_signed_amount_e8, 0) - sum(coalesce(signed_amount_e8, 0)) as amount_e8,
        order_coupon_effect_e8 - sum(coupon_effect_e8) as coupon_effect_e8
    from counted_lines
    where order_line_item_id is not null
    -- Everything is the same in all lines of an order; naming it lets a filter on the month reach the orders.
    group by
        account,
        order_id,
        customer_id,
        kind,
        month,
        currency,
        order_signed_amount_e8,
        order_coupon_effect_e8
)
select
    account,
    order_id,
    customer_id,
    kind,
    month,
    currency,
    coalesce(
        iif(order_line_item_id is null, order_service_type_code, service_type_code), '(not allocated)'
    ) as service_type_code,
    iif(order_line_item_id is null, order_service_type_name, service_type_name) as service_type_name,
    coalesce(iif(order_line_item_id is null, order_signed_amount_e8, signed_amount_e8), 0) as amount_e8,
    iif(order_line_item_id is null, order_coupon_effect_e8, coupon_effect_e8) as coupon_effect_e8
from counted_lines
union all
select
    account,
    order_id,
    customer_id,
    kind,
    month,
    currency,
    '(not allocated)',
    null,
    amount_e8,
    coupon_effect_e8
from residuals
where amount_e8 <> 0 or coupon_effect_e8 <> 0;
