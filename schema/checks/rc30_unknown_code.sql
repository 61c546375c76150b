-- RC30 unknown code | 未知代码
-- severity: warn
-- tolerance: none
-- needs: orders, order_lines, resources
-- A break means that the rules of other checks and of the figures may not cover these rows. | 差异说明其他检查与报表的规则可能不适用于这些数据。
--
-- A status, type, source, kind of discount, period or policy that the documents do not list: one row per value and month,
-- with the number of rows that have it and one of them.
create view check_rc30_unknown_code as
with
coded as (
    select
        o.account,
        o.period,
        'orders.status' as field,
        'order_status' as domain,
        cast(o.status as text) as code,
        o.order_id as example
    from checked_orders as o
    union all
    select
        o.account,
        o.period,
        'orders.order_type',
        'order_type',
        cast(o.order_type as text),
        o.order_id
    from checked_orders as o
    union all
    select
        o.account,
        o.period,
        'orders.source_type',
        'order_source',
        cast(o.source_type as text),
        o.order_id
    from checked_orders as o
    union all
    select
        o.account,
        o.period,
        'order_discounts.discount_type',
        'discount_type',
        nullif(d.discount_type, ''),
        o.order_id
    from checked_orders as o
    cross join order_discounts as d on d.account = o.account and d.order_id = o.order_id and d.gone_since is null
    union all
    select
        o.account,
        o.period,
        'order_lines.period_type',
        'period_type',
        cast(l.period_type as text),
        o.order_id
    from checked_orders as o
    cross join order_lines as l
        on l.account = o.account and l.requested_order_id = o.order_id and l.gone_since is null
    union all
    select
        account,
        '',
        'resources.status',
        'resource_status',
        cast(status as text),
        resource_id
    from resources
    where gone_since is null
    union all
    select
        account,
        '',
        'resources.expire_policy',
        'expire_policy',
        cast(expire_policy as text),
        resource_id
    from resources
    where gone_since is null
),
-- The list of known codes is made once and looked up. Counted in a window and not grouped: a filter on the period would not
-- reach the orders through a grouping.
unknown as (
    select
        account,
        period,
        field,
        code,
        count(*) over (partition by account, period, field, code) as times,
        example,
        row_number() over (partition by account, period, field, code order by example) as place
    from coded
    where code is not null and domain || ' ' || code not in (select c.domain || ' ' || c.code from code_names as c)
),
found as (
    select
        account,
        null as customer_id,
        field || '=' || code || iif(period = '', '', '/' || period) as key,
        'a documented code' as expected,
        code as actual,
        null as diff,
        null as currency,
        period,
        printf('%d row(s), e.g. %s', times, example) as note
    from unknown
    where place = 1
)
select
    x.account,
    'RC30' as check_id,
    'warn' as severity,
    x.customer_id,
    x.key,
    x.expected,
    x.actual,
    x.diff,
    x.currency,
    x.period,
    (
        select b.first_seen
        from breaks as b
        where b.account = x.account and b.check_id = 'RC30' and b.key = x.key and b.resolved_at is null
    ) as first_seen,
    x.note,
    null as expected_e8,
    null as actual_e8,
    null as diff_e8
from found as x;
