-- The order a line belongs to: the one it names, else the one that was asked for. Views find the lines of an order by it. A
-- text by name, because SQLite compares an index on an expression without a type with no column of texts.
create index order_lines_by_own_order on order_lines (
    account,
    cast(coalesce(nullif(order_id, ''), requested_order_id) as text)
);
