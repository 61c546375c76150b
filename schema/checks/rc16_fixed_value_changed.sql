-- RC16 fixed value changed | 已固定的值发生变化
-- severity: error
-- tolerance: T0
-- needs: orders, refund_attributions
-- A break means that figures already reported have moved. | 差异说明已报告的数据发生变化。
--
-- A change, after completion, of an order's amount, list price, currency, customer or time of payment, or of the amount of an
-- attribution that was there. What was once completed stays so, whatever its status became since. A member of a combined trade
-- is as its trade where it leaves a field out.
create view check_rc16_fixed_value_changed as
with
-- Replaced versions of orders that were completed by then.
completed as not materialized (
    select *
    from orders_history as h
    where exists (
        select 1
        from orders_history as e
        where e.account = h.account
            and e.order_id = h.order_id
            and e.version <= h.version
            and (
                e.status = 5
                -- Its trade was, before the member's row was replaced.
                or (
                    e.status is null
                    and exists (
                        select 1
                        from orders_versions as t
                        where t.account = e.account
                            and t.order_id = e.parent_order_id
                            and t.status = 5
                            and t.valid_from < e.ended_at
                    )
                )
            )
    )
),
-- Each of them and the one that followed.
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
        coalesce(nullif(h.currency, ''), nullif(p.currency, '')) as currency,
        coalesce(nullif(n.currency, ''), nullif(p.currency, '')) as next_currency,
        coalesce(nullif(h.customer_id, ''), nullif(p.customer_id, '')) as customer_id,
        coalesce(nullif(n.customer_id, ''), nullif(p.customer_id, '')) as next_customer_id,
        coalesce(nullif(h.payment_time, ''), nullif(p.payment_time, '')) as payment_time,
        coalesce(nullif(n.payment_time, ''), nullif(p.payment_time, '')) as next_payment_time
    from checked_orders as o
    cross join completed as h on h.account = o.account and h.order_id = o.order_id
    inner join orders_history as n
        on n.account = h.account and n.order_id = h.order_id and n.version = h.version + 1
    left join orders as p on p.account = o.account and p.order_id = o.parent_order_id
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
        coalesce(nullif(h.currency, ''), nullif(p.currency, '')),
        coalesce(nullif(n.currency, ''), nullif(p.currency, '')),
        coalesce(nullif(h.customer_id, ''), nullif(p.customer_id, '')),
        coalesce(nullif(n.customer_id, ''), nullif(p.customer_id, '')),
        coalesce(nullif(h.payment_time, ''), nullif(p.payment_time, '')),
        coalesce(nullif(n.payment_time, ''), nullif(p.payment_time, ''))
    from checked_orders as o
    cross join completed as h on h.account = o.account and h.order_id = o.order_id
    inner join orders as n on n.account = h.account and n.order_id = h.order_id and n.version = h.version + 1
    left join orders as p on p.account = o.account and p.order_id = o.parent_order_id
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
    cross join refund_attributions_history as h on h.account = o.account and h.refund_order_id = o.order_id
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
    cross join refund_attributions_history as h on h.account = o.account and h.refund_order_id = o.order_id
    inner join refund_attributions as n
        on n.account = h.account
        and n.refund_order_id = h.refund_order_id
        and n.id = h.id
        and n.version = h.version + 1
),
-- Values that may change, with whether they are amounts.
fields (field, is_amount) as (
    values ('amount_after_discount', 1), ('official_amount', 1), ('currency', 0), ('customer_id', 0), ('payment_time', 0)
),
-- The steps once for each of them, and not five times the steps: these are looked up once, and a filter on the period
-- reaches them.
compared as (
    select
        s.account,
        s.order_id,
        s.owner,
        s.unit,
        s.period,
        s.version,
        s.ended_at,
        f.field,
        f.is_amount,
        case f.field
            when 'amount_after_discount' then s.amount_e8
            when 'official_amount' then s.official_e8
            when 'currency' then s.currency
            when 'customer_id' then s.customer_id
            when 'payment_time' then s.payment_time
        end as old,
        case f.field
            when 'amount_after_discount' then s.next_amount_e8
            when 'official_amount' then s.next_official_e8
            when 'currency' then s.next_currency
            when 'customer_id' then s.next_customer_id
            when 'payment_time' then s.next_payment_time
        end as new
    from steps as s
    cross join fields as f
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
        field,
        iif(is_amount, null, coalesce(old, '(none)')) as old,
        iif(is_amount, null, coalesce(new, '(none)')) as new,
        iif(is_amount, old, null) as old_e8,
        iif(is_amount, new, null) as new_e8
    from compared
    where old is not new
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
