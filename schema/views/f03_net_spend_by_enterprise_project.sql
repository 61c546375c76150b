-- F03: what was spent per month, by enterprise project. | 各月净支出，按企业项目。
-- The vendor attributes no amounts to the projects of an order, so an order of several is not split: it stands under
-- '(several projects)'. An order that names no project belongs to the one its main resources were in ('0' is the default
-- project), else to '(not allocated)'. Projects are those of the time of the event where an earlier version of the row is
-- kept: what is moved later does not move the months that are over.
create view f03_net_spend_by_enterprise_project as
with
-- The projects each order names: none, one or several.
named as (
    select
        o.*,
        -- Of each place in the list the version that held when the order was paid.
        (
            select json_object('projects', count(distinct v.id), 'id', min(v.id), 'name', max(v.name))
            from (
                select
                    nullif(t.enterprise_project_id, '') as id,
                    nullif(t.enterprise_project_name, '') as name,
                    t.gone_since,
                    min(t.ended_at) as ended_at
                from (
                    select
                        p.position,
                        p.enterprise_project_id,
                        p.enterprise_project_name,
                        p.gone_since,
                        'still holds' as ended_at -- behind every time
                    from order_enterprise_projects as p
                    where p.account = o.account and p.order_id = o.order_id
                    union all
                    select
                        h.position,
                        h.enterprise_project_id,
                        h.enterprise_project_name,
                        h.gone_since,
                        h.ended_at
                    from order_enterprise_projects_history as h
                    where h.account = o.account and h.order_id = o.order_id and h.ended_at > o.event_time
                ) as t
                group by t.position
            ) as v
            where v.gone_since is null
        ) as projects
    from counted_orders as o
),
-- Where the order names none: those of its main resources. A resource that was released since was in a project all the
-- same.
found as (
    select
        n.*,
        iif(
            json_extract(n.projects, '$.projects') > 0,
            n.projects,
            (
                select json_object('projects', count(distinct v.id), 'id', min(v.id), 'name', max(v.name))
                from (
                    select
                        nullif(t.enterprise_project_id, '') as id,
                        nullif(t.enterprise_project_name, '') as name,
                        min(t.ended_at) as ended_at
                    from (
                        select
                            r.resource_id,
                            r.enterprise_project_id,
                            r.enterprise_project_name,
                            'still holds' as ended_at
                        from order_resources as x
                        inner join resources as r on r.account = x.account and r.resource_id = x.resource_id
                        where x.account = n.account and x.order_id = n.order_id
                            and iif(
                                r.is_main_resource is null,
                                coalesce(r.parent_resource_id, '') = '',
                                r.is_main_resource = 1
                            )
                        union all
                        select
                            h.resource_id,
                            h.enterprise_project_id,
                            h.enterprise_project_name,
                            h.ended_at
                        from order_resources as x
                        inner join resources_history as h on h.account = x.account and h.resource_id = x.resource_id
                        where x.account = n.account and x.order_id = n.order_id and h.ended_at > n.event_time
                            and iif(
                                h.is_main_resource is null,
                                coalesce(h.parent_resource_id, '') = '',
                                h.is_main_resource = 1
                            )
                    ) as t
                    group by t.resource_id
                ) as v
            )
        ) as place
    from named as n
),
-- The member each order belongs to.
placed as (
    select
        f.*,
        case json_extract(f.place, '$.projects')
            when 0 then '(not allocated)'
            when 1 then json_extract(f.place, '$.id')
            else '(several projects)'
        end as enterprise_project_id,
        iif(json_extract(f.place, '$.projects') = 1, json_extract(f.place, '$.name'), null) as name,
        json_extract(f.projects, '$.projects') = 0 and json_extract(f.place, '$.projects') > 0 as is_by_resource
    from found as f
),
-- One row per month, currency and project. Windows and no 'group by': see f01_net_spend_by_service.
sums as (
    select distinct
        account,
        month,
        currency,
        enterprise_project_id,
        max(name) over project as name,
        count(*) over project as orders,
        sum(is_by_resource) over project as orders_by_resource,
        sum(iif(kind = 'purchase', coalesce(signed_amount_e8, 0), 0)) over project as purchases_e8,
        sum(iif(kind = 'refund', coalesce(signed_amount_e8, 0), 0)) over project as refunds_e8,
        sum(coalesce(signed_amount_e8, 0)) over project as net_e8,
        sum(coalesce(signed_amount_e8, 0) + coupon_effect_e8) over project as net_of_coupons_e8
    from placed
    window project as (partition by account, month, currency, enterprise_project_id)
)
select
    account,
    month,
    currency,
    enterprise_project_id, -- '0': the default project | 企业项目ID；0 为默认项目
    coalesce(name, enterprise_project_id) as enterprise_project_name,
    enterprise_project_id = '0' as is_default_project,
    orders,
    orders_by_resource, -- orders that name no project and stand in that of their resources | 按关联资源归属的订单数
    decimal(purchases_e8) as purchases,
    decimal(refunds_e8) as refunds,
    decimal(net_e8) as net,
    decimal(net_of_coupons_e8) as net_of_coupons,
    purchases_e8,
    refunds_e8,
    net_e8,
    net_of_coupons_e8
from sums;
