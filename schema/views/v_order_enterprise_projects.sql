-- The enterprise projects of every order the vendor still shows. | 订单的企业项目明细。
-- The vendor attributes no amounts to them: an order with
-- several projects must not be split by their number.
create view v_order_enterprise_projects as
select
    p.account,
    p.order_id,
    p.position,
    o.customer_id,
    iif(o.not_counted_because is null, o.kind, null) as counted_as,
    o.month,
    p.enterprise_project_id,
    p.enterprise_project_name,
    p.enterprise_project_id = '0' as is_default_project, -- 1: the default project | 是否默认企业项目：1 是，0 否
    (
        select count(*)
        from order_enterprise_projects as every
        where every.account = p.account and every.order_id = p.order_id and every.gone_since is null
    ) as projects_of_order -- number of projects of the order | 订单的企业项目数
from order_enterprise_projects as p
inner join classified_orders as o on o.account = p.account and o.order_id = p.order_id
where p.gone_since is null;
