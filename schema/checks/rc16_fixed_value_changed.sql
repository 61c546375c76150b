-- RC16 fixed value changed | 已固定的值发生变化
-- severity: error
-- tolerance: T0
-- needs: orders, refund_attributions
-- A break means that figures already reported have moved. | 差异说明已报告的数据发生变化。
--
-- A change, after completion, of an order's amount, list price, currency, customer or time of payment, or of the amount of an
-- attribution that was there.
create view check_rc16_fixed_value_changed as
with
-- Each replaced version of a completed order and the one that followed.
steps as (
    select
        o.account,
        o.order_id,
        o.customer_id as owner,
        o.currency as unit,
        o.period,
        h.version,
        h.ended_at,
        h.amount_after_discount_e8 as amount_e8,
        n.amount_after_discount_e8 as next_amount_e8,
        h.official_amount_e8 as official_e8,
        n.official_amount_e8 as next_official_e8,
        nullif(h.currency, '') as currency,
        nullif(n.currency, '') as next_currency,
        nullif(h.customer_id, '') as customer_id,
        nullif(n.customer_id, '') as next_customer_id,
        nullif(h.payment_time, '') as payment_time,
        nullif(n.payment_time, '') as next_payment_time
    from checked_orders as o
    inner join orders_history as h on h.account = o.account and h.order_id = o.order_id and h.status = 5
    inner join orders_history as n
        on n.account = h.account and n.order_id = h.order_id and n.version = h.version + 1
    union all
    select
        o.account,
        o.order_id,
        o.customer_id,
        o.currency,
        o.period,
        h.version,
        h.ended_at,
        h.amount_after_discount_e8,
        n.amount_after_discount_e8,
        h.official_amount_e8,
        n.official_amount_e8,
        nullif(h.currency, ''),
        nullif(n.currency, ''),
        nullif(h.customer_id, ''),
        nullif(n.customer_id, ''),
        nullif(h.payment_time, ''),
        nullif(n.payment_time, '')
    from checked_orders as o
    inner join orders_history as h on h.account = o.account and h.order_id = o.order_id and h.status = 5
    inner join orders as n on n.account = h.account and n.order_id = h.order_id and n.version = h.version + 1
),
-- Each replaced version of an attribution and the one that followed.
attribution_steps as (
    select
        o.account,
        o.order_id,
        o.customer_id,
        o.currency,
        o.period,
        h.id,
        h.version,
        h.ended_at,
        h.amount_e8,
        n.amount_e8 as next_amount_e8
    from checked_orders as o
    inner join refund_attributions_history as h on h.account = o.account and h.refund_order_id = o.order_id
    inner join refund_attributions_history as n
        on n.account = h.account
        and n.refund_order_id = h.refund_order_id
        and n.id = h.id
        and n.version = h.version + 1
    union all
    select
        o.account,
        o.order_id,
        o.customer_id,
        o.currency,
        o.period,
        h.id,
        h.version,
        h.ended_at,
        h.amount_e8,
        n.amount_e8
    from checked_orders as o
    inner join refund_attributions_history as h on h.account = o.account and h.refund_order_id = o.order_id
    inner join refund_attributions as n
        on n.account = h.account
        and n.refund_order_id = h.refund_order_id
        and n.id = h.id
        and n.version = h.version + 1
),
-- One row per value that changed.
changed as (
    select
        account,
        order_id,
        owner,
        unit,
        period,
        version,
        ended_at,
        'amount_after_discount' as field,
        null as old,
        null as new,
        amount_e8 as old_e8,
        next_amount_e8 as new_e8
    from steps
    where amount_e8 is not next_amount_e8
    union all
    select
        account,
        order_id,
        owner,
        unit,
        period,
        version,
        ended_at,
        'official_amount',
        null,
        null,
        official_e8,
        next_official_e8
    from steps
    where official_e8 is not next_official_e8
    union all
    select
        account,
        order_id,
        owner,
        unit,
        period,
        version,
        ended_at,
        'currency',
        coalesce(currency, '(none)'),
        coalesce(next_currency, '(none)'),
        null,
        null
    from steps
    where currency is not next_currency
    union all
    select
        account,
        order_id,
        owner,
        unit,
        period,
        version,
        ended_at,
        'customer_id',
        coalesce(customer_id, '(none)'),
        coalesce(next_customer_id, '(none)'),
        null,
        null
    from steps
    where customer_id is not next_customer_id
    union all
    select
        account,
        order_id,
        owner,
        unit,
        period,
        version,
        ended_at,
        'payment_time',
        coalesce(payment_time, '(none)'),
        coalesce(next_payment_time, '(none)'),
        null,
        null
    from steps
    where payment_time is not next_payment_time
    union all
    select
        account,
        order_id,
        customer_id,
        currency,
        period,
        version,
        ended_at,
        'attribution ' || id,
        null,
        null,
        amount_e8,
        next_amount_e8
    from attribution_steps
    where amount_e8 is not next_amount_e8
),
found as (
    select
        account,
        owner as customer_id,
        order_id || '/' || field || '/' || version as key,
        old as expected,
        new as actual,
        old_e8 as expected_e8,
        new_e8 as actual_e8,
        new_e8 - old_e8 as diff_e8,
        unit as currency,
        period,
        field || ' changed at ' || ended_at
        || iif(
            exists (
                select 1
                from order_discounts as d
                where d.account = changed.account
                    and d.order_id = changed.order_id
                    and d.discount_type in ('609', '610')
                    and d.gone_since is null
            ),
            '; the price was adjusted by hand (609, 610)',
            ''
        ) as note
    from changed
)
select
    x.account,
    'RC16' as check_id,
    'error' as severity,
    x.customer_id,
    x.key,
    coalesce(decimal(x.expected_e8), x.expected) as expected, -- value it had: an amount or a text | 原值：金额或文本 | unit: none
    coalesce(decimal(x.actual_e8), x.actual) as actual, -- value it has: an amount or a text | 现值：金额或文本 | unit: none
    decimal(x.diff_e8) as diff,
    x.currency,
    x.period,
    (
        select b.first_seen
        from breaks as b
        where b.account = x.account and b.check_id = 'RC16' and b.key = x.key and b.resolved_at is null
    ) as first_seen,
    x.note,
    x.expected_e8, -- value it had, when it is an amount | 原金额
    x.actual_e8, -- value it has, when it is an amount | 现金额
    x.diff_e8
from found as x;
