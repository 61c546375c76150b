-- The month (UTC+8) that an order's own times give it, as the view known_orders writes it: views find the orders of a month
-- by it. What looks like 'now' would be another month every month, which SQLite refuses to put into an index.
create index orders_by_month on orders (
    strftime('%Y-%m', ltrim(coalesce(nullif(payment_time, ''), nullif(create_time, '')), 'NnSs'), '+8 hours'),
    account
);

-- Only members of combined trades have a parent: the other rows need no entry.
drop index orders_by_parent;

create index orders_by_parent on orders (account, parent_order_id) where parent_order_id is not null;

-- Orders are only looked for by the statuses in which they wait for something: the finished ones need no entry either.
drop index orders_by_status;

create index orders_by_status on orders (account, status) where status not in (4, 5);
