-- The months (UTC+8) in which each account has orders. | 各账号有订单的月份（UTC+8）。
-- By the orders' own times, gone ones included: every month with orders is one of them. Read from an index alone; for
-- views that go from month to month.
create view order_months as
select distinct
    account,
    -- Written as in the index orders_by_month, to the letter.
    strftime('%Y-%m', ltrim(coalesce(nullif(payment_time, ''), nullif(create_time, '')), 'NnSs'), '+8 hours') as month
from orders;
