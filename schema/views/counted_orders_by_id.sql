-- The orders that make up the spend, to be looked up by their ids: the rows of counted_orders. | 构成支出的订单，用于按订单ID查找，内容与 counted_orders 相同。
create view counted_orders_by_id as
select *
from classified_orders_by_id
where not_counted_because is null;
