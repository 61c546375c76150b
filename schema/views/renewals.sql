-- Main resources in use by the month (UTC+8) in which they expire, with what the next period is likely to cost. | 在用主资源的到期月份及预计续费金额。
-- Attached resources are renewed with their main resource: they have no row of their own, their cost is part of its.
-- The estimate of a resource is the price of one period in the last counted order that bought or renewed it: the order's
-- lines of the resource's service and type, shared equally among the resources of that kind the order was for. It is null
-- when there is no such order, or when its lines have different periods or none. Orders that changed the resource are
-- passed over, because their amount is a difference of prices; changed_since tells that one came later.
-- 'estimate' is the main resource with its attached ones; those whose price is unknown, or is in another currency or for
-- another period than the main one's, are left out, and attached_without_estimate counts them.
create view renewals as
with
-- Main resources in use, and behind each the attached ones that are renewed with it, all in the month of the main one's
-- expiry. Not materialized, so that a filter on the month finds them by the index resources_by_expire_month, which is
-- written the same to the letter.
renewed as not materialized (
    select
        r.account,
        strftime('%Y-%m', ltrim(r.expire_time, 'NnSs'), '+8 hours') as expire_month,
        r.resource_id as main_resource_id,
        r.resource_id,
        r.service_type_code,
        r.resource_type_code
    from resources as r
    where r.gone_since is null
        and r.status = 2
        and iif(r.is_main_resource is null, coalesce(r.parent_resource_id, '') = '', r.is_main_resource = 1)
        and r.expire_time <> ''
    union all
    select
        m.account,
        strftime('%Y-%m', ltrim(m.expire_time, 'NnSs'), '+8 hours'),
        m.resource_id,
        r.resource_id,
        r.service_type_code,
        r.resource_type_code
    from resources as m
    cross join resources as r on r.account = m.account and r.parent_resource_id = m.resource_id
    where m.gone_since is null
        and m.status = 2
        and iif(m.is_main_resource is null, coalesce(m.parent_resource_id, '') = '', m.is_main_resource = 1)
        and m.expire_time <> ''
        and r.gone_since is null
        and r.status = 2
        and iif(r.is_main_resource is null, r.parent_resource_id <> '', r.is_main_resource <> 1)
),
-- Each with its last full-price order.
priced as (
    select
        r.*,
        (
            select order_id
            from (
                select o.event_time, o.order_id
                from order_resources as x
                cross join counted_orders_by_id as o on o.account = x.account and o.order_id = x.order_id
                where x.account = r.account
                    and x.resource_id = r.resource_id
                    and x.gone_since is null
                    and o.order_type in (1, 2, 11, 14)
                order by o.event_time desc, o.order_id desc
                limit 1
            )
        ) as priced_order_id
    from renewed as r
),
-- The order's lines of the same service and type.
lines as (
    select
        r.account,
        r.expire_month,
        r.main_resource_id,
        r.resource_id,
        r.service_type_code,
        r.resource_type_code,
        o.order_id,
        o.event_time,
        o.customer_id,
        o.currency,
        l.period_type,
        l.period_num,
        l.amount_after_discount_e8
    from priced as r
    cross join counted_orders_by_id as o on o.account = r.account and o.order_id = r.priced_order_id
    cross join order_lines as l
        on l.account = o.account
        and cast(coalesce(nullif(l.order_id, ''), l.requested_order_id) as text) = o.order_id
        and l.gone_since is null
        and coalesce(nullif(l.currency, ''), o.currency) = o.currency
        and l.service_type_code = r.service_type_code
        and l.commercial_resource = r.resource_type_code
),
-- What they cost, and for how long. Windows and no 'group by', because a filter on the month goes down to the resources
-- through the one and not through the other.
costs as (
    select
        account,
        expire_month,
        main_resource_id,
        resource_id,
        service_type_code,
        resource_type_code,
        order_id,
        event_time,
        customer_id,
        currency,
        row_number() over of_resource as line,
        min(period_type) over of_resource as period_type,
        min(period_num) over of_resource as period_num,
        -- Time units only: one-off and usage lines have no price per period.
        count(*) over of_resource
        = sum(period_type in (0, 1, 2, 3, 4) and period_num > 0) over of_resource
        and min(period_type) over of_resource = max(period_type) over of_resource
        and min(period_num) over of_resource = max(period_num) over of_resource as has_one_period,
        count(*) over of_resource = count(amount_after_discount_e8) over of_resource as has_amounts,
        sum(amount_after_discount_e8) over of_resource as amount_e8
    from lines
    window of_resource as (partition by account, expire_month, main_resource_id, resource_id)
),
-- How many resources of that kind the order was for; those that are gone since were paid for as well.
shared as (
    select
        c.*,
        (
            select count(*)
            from order_resources as x
            inner join resources as other
                on other.account = x.account
                and other.resource_id = x.resource_id
                and other.service_type_code = c.service_type_code
                and other.resource_type_code = c.resource_type_code
            where x.account = c.account and x.order_id = c.order_id
        ) as resources
    from costs as c
    where c.line = 1 and c.has_one_period and c.has_amounts and c.amount_e8 >= 0
),
-- Everything that is renewed, and once more, with the price of one period for one resource, what has one. It is rounded
-- half up to 10^-8 once.
estimates as (
    select
        account,
        expire_month,
        main_resource_id,
        resource_id,
        0 as is_estimate,
        null as order_id,
        null as customer_id,
        null as currency,
        null as period_type,
        null as estimate_e8,
        null as changed_since
    from renewed
    union all
    select
        s.account,
        s.expire_month,
        s.main_resource_id,
        s.resource_id,
        1,
        s.order_id,
        s.customer_id,
        s.currency,
        s.period_type,
        (2 * s.amount_e8 + s.period_num * s.resources) / (2 * s.period_num * s.resources),
        exists (
            select 1
            from order_resources as x
            cross join counted_orders_by_id as o on o.account = x.account and o.order_id = x.order_id
            where x.account = s.account
                and x.resource_id = s.resource_id
                and x.gone_since is null
                and o.order_type = 3
                and o.event_time >= s.event_time
        )
    from shared as s
),
-- The main resource's estimate, beside those of what is attached to it.
compared as (
    select
        *,
        resource_id = main_resource_id as is_main,
        max(iif(resource_id = main_resource_id, order_id, null)) over of_main as main_order_id,
        max(iif(resource_id = main_resource_id, customer_id, null)) over of_main as main_customer_id,
        max(iif(resource_id = main_resource_id, currency, null)) over of_main as main_currency,
        max(iif(resource_id = main_resource_id, period_type, null)) over of_main as main_period_type,
        max(iif(resource_id = main_resource_id, estimate_e8, null)) over of_main as main_estimate_e8,
        max(iif(resource_id = main_resource_id, changed_since, null)) over of_main as main_changed_since
    from estimates
    window of_main as (partition by account, expire_month, main_resource_id)
),
-- What of it can be added to the main resource's.
added as (
    select
        *,
        not is_main and currency = main_currency and period_type = main_period_type as can_be_added
    from compared
),
-- What is attached to each main resource.
attached as (
    select
        *,
        sum(not is_main and not is_estimate) over of_main as attached_resources,
        coalesce(sum(can_be_added) over of_main, 0) as with_estimate,
        coalesce(sum(iif(can_be_added, estimate_e8, 0)) over of_main, 0) as attached_e8,
        coalesce(max(iif(can_be_added, changed_since, 0)) over of_main, 0) as attached_changed_since
    from added
    window of_main as (partition by account, expire_month, main_resource_id)
),
-- Main resources with what is attached to them.
summed as (
    select
        r.*,
        a.expire_month,
        a.main_order_id as estimate_order_id,
        a.main_customer_id as customer_id,
        a.main_currency as currency,
        a.main_period_type as period_type,
        a.attached_resources,
        a.attached_resources - a.with_estimate as attached_without_estimate,
        coalesce(a.main_changed_since, 0) or a.attached_changed_since as changed_since,
        case
            when a.main_estimate_e8 is null then 'unknown'
            when a.attached_resources > a.with_estimate then 'estimate of a part'
            else 'estimate'
        end as amount_basis,
        -- Nothing attached costs nothing; attached at an unknown price is unknown.
        iif(
            a.main_estimate_e8 is null or (a.attached_resources > 0 and a.with_estimate = 0), null, a.attached_e8
        ) as attached_estimate_e8,
        a.main_estimate_e8 + a.attached_e8 as estimate_e8
    from attached as a
    cross join resources as r on r.account = a.account and r.resource_id = a.resource_id
    where a.is_main and not a.is_estimate
)
select
    m.account,
    m.expire_month,
    m.resource_id,
    m.resource_name,
    coalesce(m.customer_id, nullif(m.asked_customer_id, '')) as customer_id,
    m.service_type_code,
    m.service_type_name,
    m.resource_type_code,
    m.resource_type_name,
    m.region_code,
    m.product_spec_desc,
    m.enterprise_project_id,
    m.enterprise_project_name,
    m.expire_policy,
    c.name_en as expire_policy_en,
    c.name_zh as expire_policy_zh,
    coalesce(m.expire_policy = 3, 0) as is_auto_renewed, -- 1: renewed automatically | 是否自动续费：1 是，0 否
    m.expire_time, -- end of service, UTC | 资源到期时间（UTC）
    strftime('%Y-%m-%d %H:%M:%S', m.expire_time, '+8 hours') as expire_time_utc8,
    -- Automatic renewals are debited 7 days before expiry at 03:00 UTC+8, which can be a month earlier.
    case
        when m.expire_policy = 3
            then strftime(
                '%Y-%m-%dT%H:%M:%SZ', m.expire_time, '+8 hours', 'start of day', '-7 days', '-5 hours'
            )
    end as debit_time, -- when an automatic renewal is debited, UTC | 自动续费扣款时间（UTC）
    case
        when m.expire_policy = 3
            then strftime('%Y-%m-%d', m.expire_time, '+8 hours', '-7 days') || ' 03:00:00'
    end as debit_time_utc8, -- when an automatic renewal is debited, in UTC+8 | 自动续费扣款时间（UTC+8）
    case
        when m.expire_policy = 3 then strftime('%Y-%m', m.expire_time, '+8 hours', '-7 days')
    end as debit_month, -- month (UTC+8) of the debit | 扣款月份（UTC+8）
    m.last_seen_at,
    m.attached_resources, -- attached resources that are renewed with it | 随其续费的附属资源数
    m.attached_without_estimate, -- those whose cost is not in the estimate | 其中无法估算的数量
    m.amount_basis, -- 'estimate', 'estimate of a part' or 'unknown' | 金额依据：估算、部分估算或未知
    m.estimate_order_id, -- order the estimate is taken from | 估算所依据的订单ID
    p.name_en as estimate_period_en, -- period the estimate is for: English name | 估算对应的周期（英文名称）
    p.name_zh as estimate_period_zh, -- period the estimate is for: Chinese name | 估算对应的周期（中文名称）
    m.changed_since, -- 1: the resource was changed since that order | 该订单之后资源是否变更：1 是，0 否
    m.currency,
    decimal(m.attached_estimate_e8) as attached_estimate, -- likely cost of the next period of what is attached | 附属资源下一周期的预计金额
    decimal(m.estimate_e8) as estimate, -- likely cost of the next period | 下一周期的预计金额
    m.attached_estimate_e8,
    m.estimate_e8
from summed as m
left join code_names as c on c.domain = 'expire_policy' and c.code = cast(m.expire_policy as text)
left join code_names as p on p.domain = 'period_type' and p.code = cast(m.period_type as text);
