-- The spend by service. | 按云服务分摊的支出。
-- Whatever the lines of an order do not explain is '(not allocated)', so that this adds up to counted_orders exactly, order
-- by order.
create view allocated_spend as
with
-- What the lines that name a service leave of their order: all of it when it has no lines.
rests as (
    select
        account,
        order_id,
        customer_id,
        kind,
        month,
        currency,
        count(order_line_item_id) > 0 as has_lines,
        order_service_type_code,
        order_service_type_name,
        coalesce(order_signed_amount_e8, 0)
        - sum(iif(service_type_code is null, 0, coalesce(signed_amount_e8, 0))) as amount_e8,
        order_coupon_effect_e8
        - sum(iif(service_type_code is null, 0, coupon_effect_e8)) as coupon_effect_e8
    from counted_lines
    -- Everything is the same in all lines of an order; naming it lets a filter on the month reach the orders.
    group by
        account,
        order_id,
        customer_id,
        kind,
        month,
        currency,
        order_service_type_code,
        order_service_type_name,
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
    service_type_code,
    service_type_name,
    coalesce(signed_amount_e8, 0) as amount_e8, -- part of the order's signed amount | 订单带符号金额的一部分
    coupon_effect_e8
from counted_lines
where service_type_code is not null
union all
select
    account,
    order_id,
    customer_id,
    kind,
    month,
    currency,
    -- An order without lines belongs to the service it names itself.
    coalesce(iif(has_lines, null, order_service_type_code), '(not allocated)'),
    iif(has_lines, null, order_service_type_name),
    amount_e8,
    coupon_effect_e8
from rests
where not has_lines or amount_e8 <> 0 or coupon_effect_e8 <> 0;
