-- Main resources in use by the month (UTC+8) in which they expire, with what the next period is likely to cost.
-- Attached resources are renewed with their main resource and have no row of their own.
-- The estimate is the price of one period in the last counted order that bought or renewed the resource: its lines of
-- the resource's service and type, shared equally among the resources of that kind the order was for. It is null when
-- there is no such order, or when its lines have different periods or none. Orders that changed the resource are passed
-- over, because their amount is a difference of prices; changed_since tells that one came later.
create view renewals as
with
-- Resources that can be renewed, each with its last full-price order.
mains as materialized (
    select
        r.account,
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
        and r.expire_time <> ''
        and iif(r.is_main_resource is null, coalesce(r.parent_resource_id, '') = '', r.is_main_resource = 1)
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
    from mains as m
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
    from mains as m
    inner join order_resources as x on x.account = m.account and x.order_id = m.priced_order_id
    inner join resources as other
        on other.account = x.account
        and other.resource_id = x.resource_id
        and other.service_type_code = m.service_type_code
        and other.resource_type_code = m.resource_type_code
    group by m.account, m.resource_id
),
-- The price of one period for one resource, rounded half up to 10^-8 once.
estimates as (
    select
        l.account,
        l.resource_id,
        l.event_time,
        l.customer_id,
        l.currency,
        l.period_type,
        (2 * l.amount_e8 + l.period_num * s.resources) / (2 * l.period_num * s.resources) as estimate_e8
    from lines as l
    inner join sharers as s on s.account = l.account and s.resource_id = l.resource_id
    where l.has_one_period and l.has_amounts and l.amount_e8 >= 0
)
select
    m.account,
    m.expire_month,
    m.resource_id,
    m.resource_name,
    coalesce(e.customer_id, nullif(m.asked_customer_id, '')) as customer_id,
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
    coalesce(m.expire_policy = 3, 0) as is_auto_renewed,
    m.expire_time,
    strftime('%Y-%m-%d %H:%M:%S', m.expire_time, '+8 hours') as expire_time_utc8,
    -- Automatic renewals are debited 7 days before expiry at 03:00 UTC+8, which can be a month earlier.
    case
        when m.expire_policy = 3
            then strftime(
                '%Y-%m-%dT%H:%M:%SZ', m.expire_time, '+8 hours', 'start of day', '-7 days', '-5 hours'
            )
    end as debit_time,
    case
        when m.expire_policy = 3
            then strftime('%Y-%m-%d', m.expire_time, '+8 hours', '-7 days') || ' 03:00:00'
    end as debit_time_utc8,
    case
        when m.expire_policy = 3 then strftime('%Y-%m', m.expire_time, '+8 hours', '-7 days')
    end as debit_month,
    -- The index is named because after 'analyze' the planner may take it for useless: most resources have no parent.
    (
        select count(*)
        from resources as attached indexed by resources_by_parent
        where attached.account = m.account
            and attached.parent_resource_id = m.resource_id
            and attached.status = 2
            and attached.gone_since is null
    ) as attached_resources,
    iif(e.estimate_e8 is null, 'unknown', 'estimate') as amount_basis,
    iif(e.estimate_e8 is null, null, m.priced_order_id) as estimate_order_id,
    p.name_en as estimate_period_en,
    p.name_zh as estimate_period_zh,
    exists (
        select 1
        from order_resources as x
        inner join counted_orders as o on o.account = x.account and o.order_id = x.order_id
        where x.account = m.account
            and x.resource_id = m.resource_id
            and x.gone_since is null
            and o.order_type = 3
            and o.event_time >= e.event_time
    ) as changed_since,
    e.currency,
    decimal(e.estimate_e8) as estimate,
    e.estimate_e8
from mains as m
left join estimates as e on e.account = m.account and e.resource_id = m.resource_id
left join code_names as c on c.domain = 'expire_policy' and c.code = cast(m.expire_policy as text)
left join code_names as p on p.domain = 'period_type' and p.code = cast(e.period_type as text);
