-- F03: what was spent per month, by enterprise project. | 各月净支出，按企业项目。
-- The vendor attributes no amounts to the projects of an order, so an order of several is not split: it stands under
-- '(several projects)'. A member of a combined trade that names no project is in the trade's. An order that names none belongs
-- to the one its main resources were in ('0' is the default project), as does a member of a trade of several; else to
-- '(not allocated)'. Projects are those of the time of the event where an earlier version of the row is
-- kept: what is moved later does not move the months that are over.
create view f03_net_spend_by_enterprise_project as
with
-- Each order with its project: JSON with its id, the name it has with orders, and the one it has with resources. Distinct,
-- because SQLite would merge it with what reads it and repeat the look-ups for each of the three.
placed as (
    select distinct
        o.account,
        o.order_id,
        o.month,
        o.currency,
        o.kind,
        o.signed_amount_e8,
        o.coupon_effect_e8,
        coalesce(
            -- The projects the order names, or its trade if there is one alone: of each place in the list the version that held
            -- at the time of the event.
            (
                select
                    case
                        when count(distinct v.own_id) > 1 then json_array('(several projects)')
                        when count(v.own_id) > 0 then max(iif(v.own_id is null, null, json_array(v.id, v.name)))
                        when count(distinct v.id) = 1 then max(iif(v.id is null, null, json_array(v.id, v.name)))
                    end
                from (
                    select
                        nullif(t.enterprise_project_id, '') as id,
                        iif(t.order_id = o.order_id, nullif(t.enterprise_project_id, ''), null) as own_id,
                        nullif(t.enterprise_project_name, '') as name,
                        t.gone_since,
                        min(t.ended_at) as ended_at -- takes the other columns from its row
                    from (
                        select
                            p.order_id,
                            p.position,
                            p.enterprise_project_id,
                            p.enterprise_project_name,
                            p.gone_since,
                            'still holds' as ended_at -- sorts behind every time
                        from order_enterprise_projects as p
                        where p.account = o.account and p.order_id in (o.order_id, o.parent_order_id)
                        union all
                        select
                            h.order_id,
                            h.position,
                            h.enterprise_project_id,
                            h.enterprise_project_name,
                            h.gone_since,
                            h.ended_at
                        from order_enterprise_projects_history as h
                        where h.account = o.account and h.order_id in (o.order_id, o.parent_order_id)
                            and h.ended_at > o.event_time
                    ) as t
                    group by t.order_id, t.position
                ) as v
                where v.gone_since is null and v.ended_at is not null
            ),
            -- Those of its main resources, also of those that were released since.
            (
                select
                    iif(
                        count(distinct v.id) > 1,
                        json_array('(several projects)'),
                        max(iif(v.id is null, null, json_array(v.id, null, v.name)))
                    )
                from (
                    select
                        nullif(t.enterprise_project_id, '') as id,
                        nullif(t.enterprise_project_name, '') as name,
                        min(t.ended_at) as ended_at
                    from (
                        select r.resource_id, r.enterprise_project_id, r.enterprise_project_name, 'still holds' as ended_at
                        from order_resources as x
                        inner join resources as r on r.account = x.account and r.resource_id = x.resource_id
                        where x.account = o.account and x.order_id = o.order_id
                            and iif(
                                r.is_main_resource is null,
                                coalesce(r.parent_resource_id, '') = '',
                                r.is_main_resource = 1
                            )
                        union all
                        select h.resource_id, h.enterprise_project_id, h.enterprise_project_name, h.ended_at
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
            -- Its trade names several, and its resources do not tell which.
            (
                select json_array('(several projects)')
                from order_enterprise_projects as p
                where p.account = o.account and p.order_id = o.parent_order_id
                    and p.enterprise_project_id <> '' and p.gone_since is null
                limit 1
            ),
            json_array('(not allocated)')
        ) as place
    from counted_orders as o
),
-- One row per month, currency and project. Windows and no 'group by': see f01_net_spend_by_service.
sums as (
    select distinct
        account,
        month,
        currency,
        place ->> '$[0]' as enterprise_project_id,
        -- Names change: the last one by the alphabet, so that it is the same one every time.
        coalesce(max(place ->> '$[1]') over project, max(place ->> '$[2]') over project) as enterprise_project_name,
        count(*) over project as orders,
        sum(iif(kind = 'purchase', coalesce(signed_amount_e8, 0), 0)) over project as purchases_e8,
        sum(iif(kind = 'refund', coalesce(signed_amount_e8, 0), 0)) over project as refunds_e8,
        sum(coalesce(signed_amount_e8, 0)) over project as net_e8,
        sum(coalesce(signed_amount_e8, 0) + coupon_effect_e8) over project as net_of_coupons_e8
    from placed
    window project as (partition by account, month, currency, place ->> '$[0]')
)
select
    s.account,
    s.month,
    s.currency,
    s.enterprise_project_id, -- enterprise project; 0: the default project | 企业项目ID；0 为默认项目
    coalesce(s.enterprise_project_name, s.enterprise_project_id) as enterprise_project_name,
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
