-- The spend by service. | 按云服务分摊的支出。
-- Whatever the lines of an order do not explain is '(not allocated)', so that this adds up to counted_orders exactly, order
-- by order.
create view allocated_spend as
with
-- What the lines that name a service leave of their order: all of it when it has no lines. Windows and no 'group by',
-- because a filter on the month goes down to the orders through the one and not through the other.
rests as (
    select
        account,
        order_id,
        customer_id,
        kind,
        month,
        currency,
        row_number() over its_lines as line,
        count(order_line_item_id) over its_lines > 0 as has_lines,
        order_service_type_code,
        order_service_type_name,
        coalesce(order_signed_amount_e8, 0)
        - sum(iif(service_type_code is null, 0, coalesce(signed_amount_e8, 0))) over its_lines as amount_e8,
        coalesce(order_official_e8, 0)
        - sum(iif(service_type_code is null, 0, coalesce(official_e8, 0))) over its_lines as official_e8,
        order_coupon_effect_e8
        - sum(iif(service_type_code is null, 0, coupon_effect_e8)) over its_lines as coupon_effect_e8
    from counted_lines
    window its_lines as (partition by account, month, order_id)
)
select
    account,
    order_id, -- order | 订单ID
    customer_id,
    kind,
    month,
    currency,
    service_type_code,
    service_type_name,
    coalesce(signed_amount_e8, 0) as amount_e8, -- part of the order's signed amount | 订单带符号金额的一部分
    coalesce(official_e8, 0) as official_e8, -- part of the order's list price, 0 for refunds | 订单官网价的一部分，退款为 0 | unit: 10^-8 currency units
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
    official_e8,
    coupon_effect_e8
from rests
where line = 1 and (not has_lines or amount_e8 <> 0 or official_e8 <> 0 or coupon_effect_e8 <> 0);
