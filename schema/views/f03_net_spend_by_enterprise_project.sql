-- F03: what was spent per month, by enterprise project. | 各月净支出，按企业项目。
-- The vendor attributes no amounts to the projects of an order, so an order of several is not split: it stands under
-- '(several projects)'. An order that names no project belongs to the one its main resources were in ('0' is the default
-- project), else to '(not allocated)'. Projects are those of the time of the event where an earlier version of the row is
-- kept: what is moved later does not move the months that are over.
create view f03_net_spend_by_enterprise_project as
with
-- Each order with its member.
placed as (
    select
        o.*,
        coalesce(
            -- The projects the order names: of each place in the list the version that held at the time of the event.
            (
                select iif(count(distinct v.id) > 1, '(several projects)', max(v.id))
                from (
                    select
                        nullif(t.enterprise_project_id, '') as id,
                        t.gone_since,
                        min(t.ended_at) as ended_at -- takes the other columns from its row
                    from (
                        select
                            p.position,
                            p.enterprise_project_id,
                            p.gone_since,
                            'still holds' as ended_at -- sorts behind every time
                        from order_enterprise_projects as p
                        where p.account = o.account and p.order_id = o.order_id
                        union all
                        select h.position, h.enterprise_project_id, h.gone_since, h.ended_at
                        from order_enterprise_projects_history as h
                        where h.account = o.account and h.order_id = o.order_id and h.ended_at > o.event_time
                    ) as t
                    group by t.position
                ) as v
                where v.gone_since is null and v.ended_at is not null
            ),
            -- Those of its main resources, also of those that were released since.
            (
                select iif(count(distinct v.id) > 1, '(several projects)', max(v.id))
                from (
                    select nullif(t.enterprise_project_id, '') as id, min(t.ended_at) as ended_at
                    from (
                        select r.resource_id, r.enterprise_project_id, 'still holds' as ended_at
                        from order_resources as x
                        inner join resources as r on r.account = x.account and r.resource_id = x.resource_id
                        where x.account = o.account and x.order_id = o.order_id
                            and iif(
                                r.is_main_resource is null,
                                coalesce(r.parent_resource_id, '') = '',
                                r.is_main_resource = 1
                            )
                        union all
                        select h.resource_id, h.enterprise_project_id, h.ended_at
                        from order_resources as x
                        inner join resources_history as h on h.account = x.account and h.resource_id = x.resource_id
                        where x.account = o.account and x.order_id = o.order_id and h.ended_at > o.event_time
                            and iif(
                                h.is_main_resource is null,
                                coalesce(h.parent_resource_id, '') = '',
                                h.is_main_resource = 1
                            )
                    ) as t
                    group by t.resource_id
                ) as v
                where v.ended_at is not null
            ),
            '(not allocated)'
        ) as enterprise_project_id
    from counted_orders as o
),
-- One row per month, currency and project. Windows and no 'group by': see f01_net_spend_by_service.
sums as (
    select distinct
        account,
        month,
        currency,
        enterprise_project_id,
        count(*) over project as orders,
        sum(iif(kind = 'purchase', coalesce(signed_amount_e8, 0), 0)) over project as purchases_e8,
        sum(iif(kind = 'refund', coalesce(signed_amount_e8, 0), 0)) over project as refunds_e8,
        sum(coalesce(signed_amount_e8, 0)) over project as net_e8,
        sum(coalesce(signed_amount_e8, 0) + coupon_effect_e8) over project as net_of_coupons_e8
    from placed
    window project as (partition by account, month, currency, enterprise_project_id)
)
select
    s.account,
    s.month,
    s.currency,
    s.enterprise_project_id, -- enterprise project; 0: the default project | 企业项目ID；0 为默认项目
    coalesce(
        (
            select p.enterprise_project_name
            from order_enterprise_projects as p
            where p.account = s.account and p.enterprise_project_id = s.enterprise_project_id
                and p.enterprise_project_name <> ''
            limit 1
        ),
        s.enterprise_project_id
    ) as enterprise_project_name,
    s.enterprise_project_id = '0' as is_default_project, -- 1: the default project | 是否默认企业项目：1 是，0 否
    s.orders,
    decimal(s.purchases_e8) as purchases,
    decimal(s.refunds_e8) as refunds,
    decimal(s.net_e8) as net,
    decimal(s.net_of_coupons_e8) as net_of_coupons,
    s.purchases_e8,
    s.refunds_e8,
    s.net_e8,
    s.net_of_coupons_e8
from sums as s;
