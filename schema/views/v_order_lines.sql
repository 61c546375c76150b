-- Every order line the vendor still shows, readable, with what its order says about the month and the spend. | 全部订单项明细。
create view v_order_lines as
select
    l.account,
    l.order_line_item_id,
    coalesce(nullif(l.order_id, ''), l.requested_order_id) as order_id,
    l.requested_order_id,
    o.customer_id,
    o.order_type,
    t.name_en as order_type_en,
    t.name_zh as order_type_zh,
    o.status as order_status, -- order status | 订单状态
    s.name_en as order_status_en,
    s.name_zh as order_status_zh,
    iif(o.not_counted_because is null, o.kind, null) as counted_as,
    o.event_time,
    o.month,
    l.service_type_code,
    l.service_type_name,
    l.commercial_resource as resource_type_code, -- resource type | 资源类型编码
    l.product_id,
    l.product_spec_desc,
    l.period_type,
    p.name_en as period_type_en,
    p.name_zh as period_type_zh,
    l.period_num,
    l.subscription_num,
    l.effective_time,
    l.expire_time,
    strftime('%Y-%m-%d %H:%M:%S', l.effective_time, '+8 hours') as effective_time_utc8,
    strftime('%Y-%m-%d %H:%M:%S', l.expire_time, '+8 hours') as expire_time_utc8,
    coalesce(nullif(l.currency, ''), o.currency, '(unknown)') as currency,
    decimal(l.official_amount_e8) as official_amount,
    decimal(l.amount_after_discount_e8) as amount_after_discount,
    decimal(l.coupon_amount_e8) as coupon_amount,
    decimal(l.flexipurchase_coupon_amount_e8) as flexipurchase_coupon_amount,
    decimal(l.stored_card_amount_e8) as stored_card_amount,
    decimal(l.commission_amount_e8) as commission,
    decimal(l.consumed_amount_e8) as consumed,
    l.official_amount_e8,
    l.amount_after_discount_e8,
    l.coupon_amount_e8,
    l.flexipurchase_coupon_amount_e8,
    l.stored_card_amount_e8,
    l.commission_amount_e8 as commission_e8,
    l.consumed_amount_e8 as consumed_e8
from order_lines as l
left join classified_orders as o
    -- Written as in the index order_lines_by_own_order, to the letter.
    on o.account = l.account and o.order_id = cast(coalesce(nullif(l.order_id, ''), l.requested_order_id) as text)
left join code_names as t on t.domain = 'order_type' and t.code = cast(o.order_type as text)
left join code_names as s on s.domain = 'order_status' and s.code = cast(o.status as text)
left join code_names as p on p.domain = 'period_type' and p.code = cast(l.period_type as text)
where l.gone_since is null;
