-- The month (UTC+8) in which a resource expires, as the views renewals and v_resources write it. What looks like 'now' would
-- be another month every month, which SQLite refuses to put into an index.
create index resources_by_expire_month on resources (
    strftime('%Y-%m', ltrim(expire_time, 'NnSs'), '+8 hours'),
    account
);
