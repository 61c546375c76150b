-- Each counted order with its lines, signed as the order is; an order without lines has one row without a line. | 构成支出的订单及其订单项。
create view counted_lines as
select
    o.account,
    o.order_id,
    o.customer_id,
    o.kind,
    o.event_time,
    o.month,
    o.currency,
    o.service_type_code as order_service_type_code, -- service the order names itself | 订单自身的云服务类型编码
    o.service_type_name as order_service_type_name, -- its name | 订单自身的云服务类型名称
    o.signed_amount_e8 as order_signed_amount_e8, -- signed amount of the whole order | 整个订单的带符号金额
    -- List prices of purchases only: a refund has none. Without a list price no discount is known.
    iif(o.kind = 'purchase', coalesce(o.official_amount_e8, o.signed_amount_e8), 0) as order_official_e8, -- list price of the order, 0 for refunds | 订单官网价，退款为 0 | unit: 10^-8 currency units
    o.coupon_effect_e8 as order_coupon_effect_e8, -- what 代金券 change in the spend of the whole order | 整个订单的代金券影响
    l.order_line_item_id,
    nullif(l.service_type_code, '') as service_type_code,
    nullif(l.service_type_name, '') as service_type_name,
    case
        when o.order_type in (4, 10) then -abs(l.amount_after_discount_e8)
        else l.amount_after_discount_e8
    end as signed_amount_e8,
    iif(o.kind = 'purchase', coalesce(l.official_amount_e8, l.amount_after_discount_e8), 0) as official_e8, -- list price, 0 for refunds | 官网价，退款为 0 | unit: 10^-8 currency units
    case
        when o.kind = 'refund' then abs(coalesce(l.coupon_amount_e8, 0))
        else -coalesce(l.coupon_amount_e8, 0)
    end as coupon_effect_e8
from counted_orders as o
left join order_lines as l
    -- A line names its own order, which inside a combined trade is not the one that was asked for. Written as in the index
    -- order_lines_by_own_order, to the letter.
    on l.account = o.account
    and cast(coalesce(nullif(l.order_id, ''), l.requested_order_id) as text) = o.order_id
    and l.gone_since is null
    -- Amounts of another currency cannot be part of this order's amount.
    and coalesce(nullif(l.currency, ''), o.currency) = o.currency;
