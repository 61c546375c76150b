-- The months (UTC+8) that the orders of each account have by their own times, gone ones included: every month with orders
-- is one of them. Read from an index alone; for views that go from month to month.
create view order_months as
select distinct
    account,
    -- Written as in the index orders_by_month, to the letter.
    strftime('%Y-%m', ltrim(coalesce(nullif(payment_time, ''), nullif(create_time, '')), 'NnSs'), '+8 hours') as month
from orders;
