-- Every order the vendor still shows, as the checks see it. | 核对所用的订单（华为云仍返回的全部订单）。
-- With the period that a break of it belongs to, the month (UTC+8) of its event, or '' when it has no time. Orders
-- without a month have a branch of their own, so that a filter on the period is a filter on the month. Whoever joins
-- what belongs to the orders joins it crosswise: SQLite may not begin with it, because the filter on the period is not
-- a filter on that.
create view checked_orders as
select
    *,
    month as period -- billing month (UTC+8) a break of the order belongs to; '' = none | 差异所属账期（UTC+8）
from classified_orders
where month is not null
union all
select *, ''
from classified_orders
where month is null;
