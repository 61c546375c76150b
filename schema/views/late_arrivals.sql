-- Orders that the vendor showed only after the time of their creation had been read completely: what moved figures that
-- were perhaps already reported. | 迟到的订单：可能影响已报告的数字。
-- month is the billing month (UTC+8) whose figures they changed, of payment as in the
-- views of spend; created_month the one of creation, as in coverage_by_month. An order whose row is no longer stored
-- has no amount. Times are UTC.
create view late_arrivals as
select
    l.account,
    l.order_id,
    o.customer_id,
    o.service_type_code,
    o.order_type,
    o.status,
    o.month,
    strftime('%Y-%m', l.create_time, '+8 hours') as created_month,
    l.create_time,
    o.payment_time,
    l.found_at,
    (unixepoch(l.found_at) - unixepoch(l.create_time)) / 3600 as hours_late, -- time between its creation and when it was shown | 创建到出现的小时数 | unit: hours
    o.currency,
    decimal(o.amount_after_discount_e8) as amount_after_discount,
    o.amount_after_discount_e8,
    l.run_id
from late_orders as l
left join known_orders as o on o.account = l.account and o.order_id = l.order_id;
