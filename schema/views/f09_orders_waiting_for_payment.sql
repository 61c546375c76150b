-- F09: orders waiting for payment, with the time that is left. | 待支付订单及剩余时间。
-- Members of a combined trade are paid with their trade,
-- whose details hold the deadline.
create view f09_orders_waiting_for_payment as
with
-- Pending orders with what only the order details tell.
pending as (
    select
        o.account,
        o.order_id,
        o.parent_order_id,
        o.customer_id,
        o.service_type_code,
        o.service_type_name,
        o.order_type,
        o.create_time,
        o.currency,
        coalesce(
            nullif(d.pending_payment_end_time, ''), nullif(p.pending_payment_end_time, '')
        ) as pending_payment_end_time,
        coalesce(nullif(d.user_name, ''), nullif(p.user_name, '')) as user_name,
        o.amount_after_discount_e8 as amount_e8
    from classified_orders as o
    left join order_details as d
        on d.account = o.account and d.order_id = o.order_id and d.gone_since is null
    left join order_details as p
        on p.account = o.account and p.order_id = o.parent_order_id and p.gone_since is null
    where o.status = 6
        and o.not_counted_because is not 'combined trade: its members count'
)
select
    o.account,
    o.order_id,
    o.parent_order_id,
    o.customer_id,
    o.service_type_code,
    o.service_type_name,
    o.order_type,
    c.name_en as order_type_en,
    c.name_zh as order_type_zh,
    o.user_name,
    o.create_time,
    o.pending_payment_end_time,
    strftime('%Y-%m-%d %H:%M:%S', o.pending_payment_end_time, '+8 hours') as pending_payment_end_time_utc8,
    -- Negative: the deadline has passed, and the vendor has not cancelled the order yet.
    round((strftime('%s', o.pending_payment_end_time) - strftime('%s', 'now')) / 3600.0, 2) as hours_left, -- time that is left, negative: passed | 剩余小时数，负数表示已过期 | unit: hours
    o.currency,
    decimal(o.amount_e8) as amount, -- price after discounts | 优惠后金额
    o.amount_e8
from pending as o
left join code_names as c on c.domain = 'order_type' and c.code = cast(o.order_type as text);
