-- RC27 units and currency | 计量单位与币种
-- severity: error
-- tolerance: none
-- needs: orders, order_lines, refund_attributions
-- A break means that totals are meaningless. | 差异说明合计金额没有意义。
--
-- An amount in another unit than the main one of its currency, also of rows that were not stored for it; an amount without
-- currency; a line, member or refund in another currency than its order, trade or original order.
create view check_rc27_units_and_currency as
with
orders_found as (
    select
        o.account,
        o.customer_id,
        o.order_id || '/currency' as key,
        'a currency' as expected,
        '(none)' as actual,
        o.period,
        'an amount without currency' as note
    from checked_orders as o
    where o.currency = '(unknown)' and o.amount_after_discount_e8 <> 0
    union all
    select
        o.account,
        o.customer_id,
        o.order_id || '/measure_id',
        '1',
        cast(r.measure_id as text),
        o.period,
        'amounts in another unit than the main one'
    from checked_orders as o
    inner join orders as r on r.account = o.account and r.order_id = o.order_id
    where r.measure_id <> 1
    union all
    select
        o.account,
        o.customer_id,
        o.order_id || '/trade',
        p.currency,
        o.currency,
        o.period,
        'a member in another currency than its combined trade'
    from checked_orders as o
    inner join orders as p on p.account = o.account and p.order_id = o.parent_order_id and p.gone_since is null
    where o.parent_order_id is not null and p.currency <> '' and o.currency <> p.currency
),
lines_found as (
    select
        o.account,
        o.customer_id,
        l.order_line_item_id || '/currency' as key,
        o.currency as expected,
        l.currency as actual,
        o.period,
        'a line in another currency than its order ' || o.order_id as note
    from checked_orders as o
    cross join order_lines as l
        on l.account = o.account and l.requested_order_id = o.order_id and l.gone_since is null
    where l.currency <> '' and l.currency <> o.currency
),
-- Refund orders with each original order they name; a member of a combined trade has the trade's currency where it says none.
refunds_of as not materialized (
    select
        o.account,
        o.customer_id,
        o.order_id,
        o.currency,
        o.period,
        a.base_order_id,
        (
            select b.currency from known_orders_by_id as b where b.account = a.account and b.order_id = a.base_order_id
        ) as base_currency
    from checked_orders as o
    cross join refund_attributions as a
        on a.account = o.account and a.refund_order_id = o.order_id and a.gone_since is null
    where not exists (
            select 1
            from refund_attributions as first
            where first.account = a.account
                and first.refund_order_id = a.refund_order_id
                and first.base_order_id = a.base_order_id
                and first.id < a.id
                and first.gone_since is null
        )
),
refunds_found as (
    select
        o.account,
        o.customer_id,
        o.order_id || '/' || o.base_order_id as key,
        o.base_currency as expected,
        o.currency as actual,
        o.period,
        'a refund in another currency than its original order' as note
    from refunds_of as o
    where o.base_currency <> '(unknown)' and o.base_currency <> o.currency
    union all
    select
        o.account,
        o.customer_id,
        o.order_id || '/' || a.id || '/measure_id',
        '1',
        cast(a.measure_id as text),
        o.period,
        'an attribution in another unit than the main one'
    from checked_orders as o
    cross join refund_attributions as a
        on a.account = o.account and a.refund_order_id = o.order_id and a.gone_since is null
    where a.measure_id <> 1
),
-- Rows that were refused for their unit, as far as the vendor still shows them like that.
refused_found as (
    select
        account,
        null as customer_id,
        stream || '/' || key || '/measure_id' as key,
        '1' as expected,
        'another unit' as actual,
        coalesce(strftime('%Y-%m', min(first_second), '+8 hours'), '') as period,
        'not stored: ' || min(reason) as note
    from undecoded_rows
    where reason like '%another unit of money%'
    group by account, stream, key
),
found as (
    select *
    from orders_found
    union all
    select *
    from lines_found
    union all
    select *
    from refunds_found
    union all
    select *
    from refused_found
)
select
    x.account,
    'RC27' as check_id,
    'error' as severity,
    x.customer_id,
    x.key,
    x.expected,
    x.actual,
    null as diff,
    null as currency,
    x.period,
    (
        select b.first_seen
        from breaks as b
        where b.account = x.account and b.check_id = 'RC27' and b.key = x.key and b.resolved_at is null
    ) as first_seen,
    x.note,
    null as expected_e8,
    null as actual_e8,
    null as diff_e8
from found as x;
