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
-- Resources in use, each with its last full-price order and the main resource it is renewed with (null: itself).
candidates as materialized (
    select
        r.account,
        iif(
            iif(r.is_main_resource is null, coalesce(r.parent_resource_id, '') = '', r.is_main_resource = 1),
            null,
            coalesce(r.parent_resource_id, '')
        ) as main_resource_id,
        strftime('%Y-%m', r.expire_time, '+8 hours') as expire_month,
        r.resource_id,
        r.resource_name,
        r.asked_customer_id,
        r.service_type_code,
        r.service_type_name,
        r.resource_type_code,
        r.resource_type_name,
        r.region_code,
        r.product_spec_desc,
        r.enterprise_project_id,
        r.enterprise_project_name,
        r.expire_time,
        r.expire_policy,
        r.last_seen_at,
        (
            select o.order_id
            from order_resources as x
            inner join counted_orders as o on o.account = x.account and o.order_id = x.order_id
            where x.account = r.account
                and x.resource_id = r.resource_id
                and x.gone_since is null
                and o.order_type in (1, 2, 11, 14)
            order by o.event_time desc, o.order_id desc
            limit 1
        ) as priced_order_id
    from resources as r
    where r.gone_since is null
        and r.status = 2
),
-- What the order's lines of the same service and type cost, and for how long.
lines as (
    select
        m.account,
        m.resource_id,
        o.event_time,
        o.customer_id,
        o.currency,
        min(l.period_type) as period_type,
        min(l.period_num) as period_num,
        -- Time units only: one-off and usage lines have no price per period.
        count(*) = sum(l.period_type in (0, 1, 2, 3, 4) and l.period_num > 0)
        and min(l.period_type) = max(l.period_type)
        and min(l.period_num) = max(l.period_num) as has_one_period,
        count(*) = count(l.amount_after_discount_e8) as has_amounts,
        sum(l.amount_after_discount_e8) as amount_e8
    from candidates as m
    inner join counted_orders as o on o.account = m.account and o.order_id = m.priced_order_id
    inner join order_lines as l
        on (
            (l.account = m.account and l.order_id = m.priced_order_id)
            or (
                -- The + keeps SQLite from looking up the account alone, which is a scan.
                l.account = +m.account
                and l.requested_order_id = m.priced_order_id
                and coalesce(l.order_id, '') = ''
            )
        )
        and l.gone_since is null
        and coalesce(nullif(l.currency, ''), o.currency) = o.currency
        and l.service_type_code = m.service_type_code
        and l.commercial_resource = m.resource_type_code
    group by m.account, m.resource_id
),
-- How many resources of that kind the order was for; those that are gone since were paid for as well.
sharers as (
    select m.account, m.resource_id, count(*) as resources
    from candidates as m
    inner join order_resources as x on x.account = m.account and x.order_id = m.priced_order_id
    inner join resources as other
        on other.account = x.account
        and other.resource_id = x.resource_id
        and other.service_type_code = m.service_type_code
        and other.resource_type_code = m.resource_type_code
    group by m.account, m.resource_id
),
-- The price of one period for one resource, rounded half up to 10^-8 once.
estimates as materialized (
    select
        l.account,
        l.resource_id,
        l.event_time,
        l.customer_id,
        l.currency,
        l.period_type,
        (2 * l.amount_e8 + l.period_num * s.resources) / (2 * l.period_num * s.resources) as estimate_e8,
        exists (
            select 1
            from order_resources as x
            inner join counted_orders as o on o.account = x.account and o.order_id = x.order_id
            where x.account = l.account
                and x.resource_id = l.resource_id
                and x.gone_since is null
                and o.order_type = 3
                and o.event_time >= l.event_time
        ) as changed_since
    from lines as l
    inner join sharers as s on s.account = l.account and s.resource_id = l.resource_id
    where l.has_one_period and l.has_amounts and l.amount_e8 >= 0
),
-- What is attached to each main resource, and what of it can be added to the main resource's estimate.
attached as (
    select
        a.account,
        a.main_resource_id,
        count(*) as resources,
        count(*) - count(e.estimate_e8) as without_estimate,
        sum(e.estimate_e8) as estimate_e8,
        max(e.changed_since) as changed_since
    from candidates as a
    left join estimates as main on main.account = a.account and main.resource_id = a.main_resource_id
    left join estimates as e
        on e.account = a.account
        and e.resource_id = a.resource_id
        and e.currency = main.currency
        and e.period_type = main.period_type
    where a.main_resource_id <> ''
    group by a.account, a.main_resource_id
),
-- Main resources with what is attached to them.
renewed as (
    select
        m.*,
        e.customer_id,
        e.currency,
        e.period_type,
        coalesce(a.resources, 0) as attached_resources,
        coalesce(a.without_estimate, 0) as attached_without_estimate,
        coalesce(e.changed_since, 0) or coalesce(a.changed_since, 0) as changed_since,
        case
            when e.estimate_e8 is null then 'unknown'
            when a.without_estimate > 0 then 'estimate of a part'
            else 'estimate'
        end as amount_basis,
        -- Nothing attached costs nothing; attached at an unknown price is unknown.
        iif(e.estimate_e8 is null or a.resources = a.without_estimate, null, coalesce(a.estimate_e8, 0))
            as attached_estimate_e8,
        e.estimate_e8 + coalesce(a.estimate_e8, 0) as estimate_e8
    from candidates as m
    left join estimates as e on e.account = m.account and e.resource_id = m.resource_id
    left join attached as a on a.account = m.account and a.main_resource_id = m.resource_id
    where m.main_resource_id is null and m.expire_time <> ''
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
    m.expire_time,
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
    iif(m.estimate_e8 is null, null, m.priced_order_id) as estimate_order_id, -- order the estimate is taken from | 估算所依据的订单ID
    p.name_en as estimate_period_en, -- period the estimate is for: English name | 估算对应的周期（英文名称）
    p.name_zh as estimate_period_zh, -- period the estimate is for: Chinese name | 估算对应的周期（中文名称）
    m.changed_since, -- 1: the resource was changed since that order | 该订单之后资源是否变更：1 是，0 否
    m.currency,
    decimal(m.attached_estimate_e8) as attached_estimate, -- likely cost of the next period of what is attached | 附属资源下一周期的预计金额
    decimal(m.estimate_e8) as estimate, -- likely cost of the next period | 下一周期的预计金额
    m.attached_estimate_e8,
    m.estimate_e8
from renewed as m
left join code_names as c on c.domain = 'expire_policy' and c.code = cast(m.expire_policy as text)
left join code_names as p on p.domain = 'period_type' and p.code = cast(m.period_type as text);
