-- What SQLite's planner is to believe about the record tables, as 'analyze' would write it for a million orders of one
-- account: rows of an index, then rows that have the same first column, the same first two, and so on. Without it the planner
-- takes the account, which stands first in every key, for something that finds ten rows, and reads whole tables by it. Where
-- somebody ran 'analyze', what it found stays.
analyze sqlite_schema;

with believed (tbl, idx, stat) as (
    values
        ('orders', 'sqlite_autoindex_orders_1', '1000000 1000000 1'),
        ('orders', 'orders_by_create_time', '1000000 1000000 1'),
        ('orders', 'orders_of_the_list', '980000 980000 1'),
        ('orders', 'orders_that_are_open', '1000 1000 1'),
        ('orders', 'orders_by_payment_time', '1000000 1000000 1'),
        ('orders', 'orders_by_status', '1000 1000 200'),
        ('orders', 'orders_by_parent', '20000 20000 2'),
        ('orders', 'orders_by_month', '1000000 10000 10000'),
        ('order_discounts', 'sqlite_autoindex_order_discounts_1', '800000 800000 2 1'),
        ('order_enterprise_projects', 'sqlite_autoindex_order_enterprise_projects_1', '1000000 1000000 1 1'),
        ('order_enterprise_projects', 'order_enterprise_projects_by_project', '1000000 1000000 50000'),
        ('order_details', 'sqlite_autoindex_order_details_1', '1000000 1000000 1'),
        ('order_details', 'order_details_by_parent', '1000000 1000000 50'),
        ('order_detail_discounts', 'sqlite_autoindex_order_detail_discounts_1', '800000 800000 2 1'),
        ('order_lines', 'sqlite_autoindex_order_lines_1', '2000000 2000000 1'),
        ('order_lines', 'order_lines_by_requested_order', '2000000 2000000 2'),
        ('order_lines', 'order_lines_by_order', '2000000 2000000 2'),
        ('order_lines', 'order_lines_by_own_order', '2000000 2000000 2'),
        ('order_lines', 'order_lines_by_expire_time', '2000000 2000000 2 2'),
        ('order_line_discounts', 'sqlite_autoindex_order_line_discounts_1', '2000000 2000000 2 1'),
        ('refund_attributions', 'sqlite_autoindex_refund_attributions_1', '200000 200000 3 1'),
        ('refund_attributions', 'refund_attributions_by_base_order', '200000 200000 3'),
        ('resources', 'sqlite_autoindex_resources_1', '600000 600000 1'),
        ('resources', 'resources_by_expire_time', '600000 600000 2'),
        ('resources', 'resources_by_expire_month', '600000 10000 10000'),
        ('resources', 'resources_by_parent', '600000 600000 2'),
        ('order_resources', 'sqlite_autoindex_order_resources_1', '1000000 1000000 2 1'),
        ('order_resources', 'order_resources_by_resource', '1000000 1000000 2')
)
insert into sqlite_stat1 (tbl, idx, stat)
select tbl, idx, stat
from believed
where not exists (select 1 from sqlite_stat1 as known where known.tbl = believed.tbl and known.idx = believed.idx);
