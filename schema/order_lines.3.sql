-- The lines whose service time ends in a month or later: what amortised_lines reads of a month.
create index order_lines_by_expire_time on order_lines (account, expire_time, effective_time);
