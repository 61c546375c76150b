-- Every order the vendor still shows, readable. | 全部订单明细。
-- counted_as tells how it enters the spend; when it does not, the reason
-- stands beside it.
create view v_orders as
select
    o.account,
    o.order_id,
    o.parent_order_id,
    o.customer_id,
    coalesce(nullif(n.customer, ''), nullif(n.account_name, ''), o.customer_id) as customer_name,
    o.payer,
    o.is_paid_by_other,
    o.service_type_code,
    o.service_type_name,
    o.order_type,
    t.name_en as order_type_en,
    t.name_zh as order_type_zh,
    o.status,
    s.name_en as status_en,
    s.name_zh as status_zh,
    o.source_type,
    f.name_en as source_type_en,
    f.name_zh as source_type_zh,
    o.contract_id,
    iif(o.not_counted_because is null, o.kind, null) as counted_as,
    o.not_counted_because,
    o.create_time,
    o.payment_time,
    o.event_time,
    strftime('%Y-%m-%d %H:%M:%S', o.event_time, '+8 hours') as event_time_utc8,
    o.event_time_is_estimated,
    o.month,
    o.currency,
    decimal(o.official_amount_e8) as official_amount,
    decimal(o.amount_after_discount_e8) as amount_after_discount,
    decimal(o.signed_amount_e8) as signed_amount,
    decimal(o.coupon_amount_e8) as coupon_amount,
    decimal(o.flexipurchase_coupon_amount_e8) as flexipurchase_coupon_amount,
    decimal(o.stored_card_amount_e8) as stored_card_amount,
    decimal(o.commission_e8) as commission,
    decimal(o.consumed_e8) as consumed,
    o.official_amount_e8,
    o.amount_after_discount_e8,
    o.signed_amount_e8,
    o.coupon_amount_e8,
    o.flexipurchase_coupon_amount_e8,
    o.stored_card_amount_e8,
    o.commission_e8,
    o.consumed_e8
from classified_orders as o
left join sub_customers as n
    on n.account = o.account and n.customer_id = o.customer_id and n.gone_since is null
left join code_names as t on t.domain = 'order_type' and t.code = cast(o.order_type as text)
left join code_names as s on s.domain = 'order_status' and s.code = cast(o.status as text)
left join code_names as f on f.domain = 'order_source' and f.code = cast(o.source_type as text);
