-- The amortisation of every line, month by month: what F06 and F07 add up. | 每个订单项的逐月摊销明细。
-- A line that was paid for a term is spread over the seconds of the term, in months of UTC+8. What is amortised up to the
-- end of a month is rounded half up to the cent, and is the whole cost at the end of the term, so that the months add up
-- to the cost exactly. What lies before the month of payment is caught up in that month. A refund (order types 4 and 10)
-- ends the terms of the lines it names: what is not amortised by then is credited. Kinds of rows (entry):
--   'line'     a line with its term; or one without a term, which is expensed in the month of payment;
--   'rest'     what the lines of an order do not explain: expensed in the month of payment;
--   'refund'   money that came back for a line; several lines of the same service and resource type share it in
--              proportion to their costs;
--   'unnamed'  money that came back for no line of ours.
-- Of several equal lines of an order (same service and resource type) the vendor's attributions do not say which was given
-- back: the terms of all of them end, and what they cost beyond the money that came back is a loss of that month.
-- A downgrade is a line of negative cost: what it gives back is credited at once and lowers the months that are left. It
-- ends with the order it changed.
-- In the rows of a month: net spend (F01) = amortisation + catch_up + expensed + loss + closing - opening.
-- Whole numbers only: SQLite goes on in floats, without a word, where a product of them does not fit. cost * seconds /
-- term is reckoned as cost / term * seconds + cost % term * seconds / term: the first product is at most the cost, the
-- second less than term * term, which up to a term of 3 037 000 499 seconds (96 years) is less than 2^63. A longer term is
-- taken for none.
create view amortised_lines as
with recursive
-- The months in which there can be figures, per account, with their edges in UTC and in seconds.
spans as (
    select
        a.account,
        min(
            coalesce(
                (select min(o.create_time) from orders as o where o.account = a.account and o.create_time > ''), '9'
            ),
            coalesce(
                (select min(o.payment_time) from orders as o where o.account = a.account and o.payment_time > ''), '9'
            )
        ) as begins,
        max(
            coalesce(
                (select max(o.create_time) from orders as o where o.account = a.account and o.create_time > ''), ''
            ),
            coalesce(
                (select max(o.payment_time) from orders as o where o.account = a.account and o.payment_time > ''), ''
            ),
            coalesce(
                (select max(l.expire_time) from order_lines as l where l.account = a.account and l.expire_time > ''), ''
            )
        ) as ends
    from (select distinct account from runs) as a
),
months as (
    select account, strftime('%Y-%m-01', begins, '+8 hours') as first, min(ends, '2199') as ends
    from spans
    where begins < '9'
    union all
    select account, date(first, '+1 month'), ends
    from months
    where first <= ends
),
edges as materialized (
    select
        account,
        strftime('%Y-%m', first) as month,
        strftime('%Y-%m-%dT%H:%M:%SZ', first, '-8 hours') as begins,
        strftime('%Y-%m-%dT%H:%M:%SZ', first, '+1 month', '-8 hours') as ends,
        unixepoch(first) - 28800 as begins_s,
        unixepoch(first, '+1 month') - 28800 as ends_s,
        unixepoch(first, '+13 months') - 28800 as year_ends_s
    from months
),
-- Lines that were paid by the end of the month, and whose term ends in it or later. Most of those that begin later were paid
-- later, too, which is quicker to see before their orders are looked at as a whole.
running as (
    select
        m.month,
        o.month as paid_month,
        o.kind,
        o.coupon_effect_e8 as order_coupon_effect_e8,
        o.event_time as paid_at,
        o.currency,
        l.account,
        cast(coalesce(nullif(l.order_id, ''), l.requested_order_id) as text) as order_id,
        l.order_line_item_id,
        l.service_type_code,
        l.commercial_resource,
        unixepoch(l.effective_time) as starts,
        unixepoch(l.expire_time) + 1 - unixepoch(l.effective_time) as term,
        coalesce(l.amount_after_discount_e8, 0) as cost_e8
    from edges as m
    cross join order_lines as l
    cross join counted_orders_by_id as o
    where o.account = l.account
        and o.order_id = cast(coalesce(nullif(l.order_id, ''), l.requested_order_id) as text)
        and (o.kind = 'purchase' or o.order_type = 3)
        and o.currency = coalesce(nullif(l.currency, ''), o.currency)
        and o.month <= m.month
        and l.account = m.account
        and l.expire_time >= m.begins
        and l.gone_since is null
        and unixepoch(l.expire_time) + 1 - unixepoch(l.effective_time) between 1 and 3037000499
        and (
            l.effective_time < m.ends
            or exists (
                select 1
                from orders as o
                where o.account = l.account
                    and o.order_id = cast(coalesce(nullif(l.order_id, ''), l.requested_order_id) as text)
                    and (coalesce(o.payment_time, '') = '' or o.payment_time < m.ends)
            )
        )
),
-- Orders of the month. Not materialized, so that a filter on the month reaches the orders.
paid_orders as not materialized (
    select
        *,
        strftime('%Y-%m-%dT%H:%M:%SZ', month || '-01', '-8 hours') as begins
    from counted_orders
    where kind = 'purchase' or order_type = 3
),
-- Their lines that are not among the running ones: without a term, or paid when it was over.
at_once as (
    select
        o.month,
        o.month as paid_month,
        o.kind,
        o.coupon_effect_e8 as order_coupon_effect_e8,
        o.event_time as paid_at,
        o.currency,
        +l.account as account,
        o.order_id,
        l.order_line_item_id,
        l.service_type_code,
        l.commercial_resource,
        unixepoch(l.effective_time) as starts,
        iif(
            unixepoch(l.expire_time) + 1 - unixepoch(l.effective_time) between 1 and 3037000499,
            unixepoch(l.expire_time) + 1 - unixepoch(l.effective_time),
            null
        ) as term,
        coalesce(l.amount_after_discount_e8, 0) as cost_e8
    from paid_orders as o
    inner join order_lines as l
        on l.account = o.account
        and cast(coalesce(nullif(l.order_id, ''), l.requested_order_id) as text) = o.order_id
        and l.gone_since is null
        and coalesce(nullif(l.currency, ''), o.currency) = o.currency
    where not coalesce(
        l.expire_time >= o.begins
        and unixepoch(l.expire_time) + 1 - unixepoch(l.effective_time) between 1 and 3037000499,
        0
    )
),
-- The lines of a month. The + takes the type from a column: SQLite does not merge unlike halves with what reads them, which
-- would repeat what is looked up for each column it is needed in.
bought as (
    select * from running
    union all
    select * from at_once
),
-- With the refund that ends them, and their part of the 代金券 of their orders; and what the lines of an order leave of it.
costs as (
    select
        t.account,
        t.month,
        'line' as entry,
        t.order_id,
        t.order_line_item_id,
        t.currency,
        t.service_type_code,
        t.commercial_resource,
        t.kind,
        t.paid_month,
        t.starts,
        t.term,
        (
            select min(
                (
                    select unixepoch(o.event_time)
                    from counted_orders_by_id as o
                    where o.account = a.account and o.order_id = a.refund_order_id
                        and o.order_type in (4, 10)
                        and o.currency = t.currency
                        and unixepoch(o.event_time) >= unixepoch(t.paid_at)
                )
            )
            from refund_attributions as a
            where a.account = t.account
                and a.base_order_id = case t.kind
                    when 'purchase' then t.order_id
                    -- The order that a downgrade changed.
                    when 'refund' then (
                        select max(+d.base_order_id)
                        from refund_attributions as d
                        where d.account = t.account and d.refund_order_id = t.order_id and d.gone_since is null
                    )
                end
                and a.gone_since is null
                and coalesce(a.measure_id, 1) = 1
                and (
                    (a.service_type_code = t.service_type_code and a.resource_type_code = t.commercial_resource)
                    -- What fits no line of the order is for all of them.
                    or not exists (
                        select 1
                        from order_lines as l
                        where l.account = a.account
                            and cast(coalesce(nullif(l.order_id, ''), l.requested_order_id) as text) = a.base_order_id
                            and l.gone_since is null
                            and l.service_type_code = a.service_type_code
                            and l.commercial_resource = a.resource_type_code
                    )
                )
        ) as ended,
        t.cost_e8,
        -- In proportion to the costs, up to this line less up to the one before, as refunds are shared below.
        iif(
            t.order_coupon_effect_e8 = 0,
            0,
            (
                select
                    sign(t.order_coupon_effect_e8)
                    * (
                        abs(t.order_coupon_effect_e8) / s.weights * s.up_to_here
                        + abs(t.order_coupon_effect_e8) % s.weights * 1000000 / s.weights * (s.up_to_here / 1000000)
                        + (
                            abs(t.order_coupon_effect_e8) % s.weights * 1000000 % s.weights * (s.up_to_here / 1000000)
                            + abs(t.order_coupon_effect_e8) % s.weights * (s.up_to_here % 1000000)
                        ) / s.weights
                        - (
                            abs(t.order_coupon_effect_e8) / s.weights * s.before
                            + abs(t.order_coupon_effect_e8) % s.weights * 1000000 / s.weights * (s.before / 1000000)
                            + (
                                abs(t.order_coupon_effect_e8) % s.weights * 1000000 % s.weights * (s.before / 1000000)
                                + abs(t.order_coupon_effect_e8) % s.weights * (s.before % 1000000)
                            ) / s.weights
                        )
                    )
                from (
                    select
                        sum(iif(l.order_line_item_id < t.order_line_item_id, abs(l.amount_after_discount_e8), 0))
                        / (sum(abs(l.amount_after_discount_e8)) / 2000000000000 + 1) as before,
                        sum(iif(l.order_line_item_id <= t.order_line_item_id, abs(l.amount_after_discount_e8), 0))
                        / (sum(abs(l.amount_after_discount_e8)) / 2000000000000 + 1) as up_to_here,
                        sum(abs(l.amount_after_discount_e8))
                        / (sum(abs(l.amount_after_discount_e8)) / 2000000000000 + 1) as weights
                    from order_lines as l
                    where l.account = t.account
                        and cast(coalesce(nullif(l.order_id, ''), l.requested_order_id) as text) = t.order_id
                        and l.gone_since is null
                        and coalesce(nullif(l.currency, ''), t.currency) = t.currency
                ) as s
            )
        ) as coupon_effect_e8
    from bought as t
    union all
    select
        +o.account, -- as above
        o.month,
        'rest',
        o.order_id,
        null,
        o.currency,
        o.service_type_code,
        null,
        o.kind,
        o.month,
        null,
        null,
        null,
        coalesce(o.signed_amount_e8, 0) - coalesce(
            (
                select sum(l.amount_after_discount_e8)
                from order_lines as l
                where l.account = o.account
                    and cast(coalesce(nullif(l.order_id, ''), l.requested_order_id) as text) = o.order_id
                    and l.gone_since is null
                    and coalesce(nullif(l.currency, ''), o.currency) = o.currency
            ),
            0
        ),
        -- Lines that cost nothing take no part of the 代金券.
        iif(
            exists (
                select 1
                from order_lines as l
                where l.account = o.account
                    and cast(coalesce(nullif(l.order_id, ''), l.requested_order_id) as text) = o.order_id
                    and l.gone_since is null
                    and coalesce(nullif(l.currency, ''), o.currency) = o.currency
                    and l.amount_after_discount_e8 <> 0
            ),
            0,
            o.coupon_effect_e8
        )
    from paid_orders as o
),
-- Refunds of the month with their attributions; these name a line when the order they name is one of ours that was paid
-- before. Not materialized, as above.
attributed as not materialized (
    select
        r.account,
        r.month,
        r.order_id as refund_order_id,
        r.currency,
        a.id,
        a.base_order_id,
        a.service_type_code,
        a.resource_type_code,
        -a.amount_e8 as refunded_e8,
        (
            select o.month
            from counted_orders_by_id as o
            where o.account = a.account and o.order_id = a.base_order_id
                and o.kind = 'purchase'
                and o.currency = r.currency
                and o.event_time <= r.event_time
        ) as paid_month
    from counted_orders as r
    inner join refund_attributions as a
        on a.account = r.account
        and a.refund_order_id = r.order_id
        and a.gone_since is null
        and coalesce(a.measure_id, 1) = 1
        and a.amount_e8 <> 0
    where r.order_type in (4, 10)
),
-- Each attribution with the lines it is for. Windows and no 'group by': see f01_net_spend_by_service.
sharers as (
    select
        a.*,
        l.order_line_item_id,
        l.service_type_code as line_service_type_code,
        l.commercial_resource,
        row_number() over line as nr,
        count(*) over attribution as lines,
        sum(abs(coalesce(l.amount_after_discount_e8, 0))) over line as up_to_here_e8,
        sum(abs(coalesce(l.amount_after_discount_e8, 0))) over attribution as all_e8
    from attributed as a
    inner join order_lines as l
        on l.account = a.account
        and cast(coalesce(nullif(l.order_id, ''), l.requested_order_id) as text) = a.base_order_id
        and l.gone_since is null
        and coalesce(nullif(l.currency, ''), a.currency) = a.currency
    where a.paid_month is not null
        and (
            (l.service_type_code = a.service_type_code and l.commercial_resource = a.resource_type_code)
            or not exists (
                select 1
                from order_lines as fitting
                where fitting.account = a.account
                    and cast(coalesce(nullif(fitting.order_id, ''), fitting.requested_order_id) as text) = a.base_order_id
                    and fitting.gone_since is null
                    and fitting.service_type_code = a.service_type_code
                    and fitting.commercial_resource = a.resource_type_code
            )
        )
    window
        attribution as (partition by a.account, a.month, a.refund_order_id, a.id),
        line as (partition by a.account, a.month, a.refund_order_id, a.id order by l.order_line_item_id)
),
-- Costs as weights of at most 2 * 10^12, so that no product below leaves 63 bits: refunds of orders up to 20 000 units of
-- their currency are shared to the last digit, larger ones to the twelfth. Lines that cost nothing share alike.
weights as (
    select
        *,
        iif(all_e8 = 0, nr, up_to_here_e8 / (all_e8 / 2000000000000 + 1)) as weight,
        iif(all_e8 = 0, lines, all_e8 / (all_e8 / 2000000000000 + 1)) as weights
    from sharers
),
-- What comes back for the lines up to each one; the last one has all of it.
shares as (
    select
        *,
        sign(refunded_e8) * (
            abs(refunded_e8) / weights * weight
            + abs(refunded_e8) % weights * 1000000 / weights * (weight / 1000000)
            + (
                abs(refunded_e8) % weights * 1000000 % weights * (weight / 1000000)
                + abs(refunded_e8) % weights * (weight % 1000000)
            ) / weights
        ) as shared_e8
    from weights
),
refunds as (
    select
        account,
        month,
        currency,
        base_order_id,
        order_line_item_id,
        line_service_type_code as service_type_code,
        commercial_resource,
        paid_month,
        shared_e8 - lag(shared_e8, 1, 0) over (
            partition by account, month, refund_order_id, id order by order_line_item_id
        ) as refunded_e8
    from shares
),
-- What no line of ours explains of the refunds of the month.
parts as (
    select
        account,
        month,
        order_id,
        currency,
        service_type_code,
        -coalesce(signed_amount_e8, 0) as refunded_e8,
        coupon_effect_e8
    from counted_orders
    where order_type in (4, 10)
    union all
    select a.account, a.month, a.refund_order_id, a.currency, null, -a.refunded_e8, 0
    from attributed as a
    where a.paid_month is not null
        and exists (
            select 1
            from order_lines as l
            where l.account = a.account
                and cast(coalesce(nullif(l.order_id, ''), l.requested_order_id) as text) = a.base_order_id
                and l.gone_since is null
                and coalesce(nullif(l.currency, ''), a.currency) = a.currency
        )
),
unnamed as (
    select distinct
        account,
        month,
        order_id,
        currency,
        max(service_type_code) over refund as service_type_code,
        sum(refunded_e8) over refund as refunded_e8,
        sum(coupon_effect_e8) over refund as coupon_effect_e8
    from parts
    window refund as (partition by account, month, order_id, currency)
),
-- Seconds of the term that are over at the begin of the month, at its end or the refund, and a year later. What has no
-- term is over at once.
schedules as (
    select
        +c.account as account, -- the + as above
        c.month,
        c.entry,
        c.order_id,
        c.order_line_item_id,
        c.currency,
        c.service_type_code,
        c.commercial_resource,
        c.kind,
        c.paid_month,
        c.paid_month = c.month as is_first,
        c.term is not null as has_term,
        coalesce(c.ended < m.ends_s, 0) as is_ended,
        coalesce(c.term, 1) as of_s,
        min(max(coalesce(m.begins_s - c.starts, 0), 0), coalesce(c.term, 1)) as before_s,
        min(max(coalesce(min(m.ends_s, coalesce(c.ended, m.ends_s)) - c.starts, 1), 0), coalesce(c.term, 1)) as by_now_s,
        min(max(coalesce(m.year_ends_s - c.starts, 1), 0), coalesce(c.term, 1)) as by_next_year_s,
        c.cost_e8,
        c.cost_e8 + coalesce(c.coupon_effect_e8, 0) as paid_e8,
        0 as refunded_e8
    from costs as c
    cross join edges as m
    where m.account = c.account and m.month = c.month
        and coalesce(c.ended >= m.begins_s, 1)
        and (c.entry = 'line' or c.cost_e8 <> 0 or c.coupon_effect_e8 <> 0)
    union all
    select
        account, month, 'refund', base_order_id, order_line_item_id, currency, service_type_code, commercial_resource,
        'refund', paid_month, 0, 0, 0, 1, 0, 0, 0, 0, 0, refunded_e8
    from refunds
),
-- What is amortised at the three times, with 代金券 and without: the whole cost at the end, else the exact part (see above)
-- rounded half up to the cent, and never more than the cost.
amortised as (
    select
        +account as account, -- the + as above
        month,
        entry,
        order_id,
        order_line_item_id,
        currency,
        service_type_code,
        commercial_resource as resource_type_code,
        kind,
        paid_month,
        is_first,
        has_term,
        is_ended,
        cost_e8,
        paid_e8,
        iif(
            before_s = of_s,
            cost_e8,
            sign(cost_e8)
            * min(
                abs(cost_e8),
                ((abs(cost_e8) / of_s * before_s + abs(cost_e8) % of_s * before_s / of_s) / 500000 + 1) / 2 * 1000000
            )
        ) as before_e8,
        iif(
            by_now_s = of_s,
            cost_e8,
            sign(cost_e8)
            * min(
                abs(cost_e8),
                ((abs(cost_e8) / of_s * by_now_s + abs(cost_e8) % of_s * by_now_s / of_s) / 500000 + 1) / 2 * 1000000
            )
        ) as by_now_e8,
        iif(
            by_next_year_s = of_s,
            cost_e8,
            sign(cost_e8)
            * min(
                abs(cost_e8),
                ((abs(cost_e8) / of_s * by_next_year_s + abs(cost_e8) % of_s * by_next_year_s / of_s) / 500000 + 1) / 2 * 1000000
            )
        ) as by_next_year_e8,
        iif(
            before_s = of_s,
            paid_e8,
            sign(paid_e8)
            * min(
                abs(paid_e8),
                ((abs(paid_e8) / of_s * before_s + abs(paid_e8) % of_s * before_s / of_s) / 500000 + 1) / 2 * 1000000
            )
        ) as paid_before_e8,
        iif(
            by_now_s = of_s,
            paid_e8,
            sign(paid_e8)
            * min(
                abs(paid_e8),
                ((abs(paid_e8) / of_s * by_now_s + abs(paid_e8) % of_s * by_now_s / of_s) / 500000 + 1) / 2 * 1000000
            )
        ) as paid_by_now_e8,
        refunded_e8,
        0 as returned_coupon_e8
    from schedules
    union all
    select
        account, month, 'unnamed', order_id, null, currency, service_type_code, null,
        'refund', null, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, refunded_e8, coupon_effect_e8
    from unnamed
    where refunded_e8 <> 0 or coupon_effect_e8 <> 0
)
select
    account,
    month,
    entry, -- kind of row: line, rest, refund or unnamed | 行类型：line 订单项，rest 未解释部分，refund 退款，unnamed 未归属退款
    order_id, -- order that was paid, or refund order of what is unnamed | 订单ID（未归属退款为退款订单）
    order_line_item_id,
    currency,
    coalesce(nullif(service_type_code, ''), '(not allocated)') as service_type_code,
    resource_type_code,
    paid_month, -- month of payment (UTC+8) | 付款月份（UTC+8）
    cost_e8, -- price after discounts of the line | 折后价 | unit: 10^-8
    iif(is_first and kind = 'purchase' and has_term, cost_e8, 0) as added_e8, -- what was paid for the term in the month | 本月新增 | unit: 10^-8
    iif(has_term, by_now_e8 - before_e8, 0) as amortisation_e8, -- parts of the month of what was paid for a term | 本月摊销额 | unit: 10^-8
    iif(is_first and has_term, before_e8, 0) as catch_up_e8, -- parts of earlier months that were paid in this one | 以前月份补摊额 | unit: 10^-8
    iif(has_term, 0, by_now_e8) as expensed_e8, -- what has no term, in the month of payment | 一次性计入费用 | unit: 10^-8
    iif(is_ended, cost_e8 - by_now_e8, 0) - iif(is_first and kind = 'refund' and has_term, cost_e8, 0) as credited_e8, -- book value that a refund ended, or that a downgrade gave back | 退款冲减的待摊余额 | unit: 10^-8
    iif(is_ended, cost_e8 - by_now_e8, 0) - refunded_e8 as loss_e8, -- book value that a refund ended, less the money that came back | 退款损失 | unit: 10^-8
    iif(is_first, 0, cost_e8 - before_e8) as opening_e8, -- not amortised at the begin of the month | 期初待摊余额 | unit: 10^-8
    iif(is_ended, 0, cost_e8 - by_now_e8) as closing_e8, -- not amortised at the end of the month | 期末待摊余额 | unit: 10^-8
    iif(is_ended, 0, by_next_year_e8 - by_now_e8) as closing_within_year_e8, -- of it amortised within 12 months after the month | 其中12个月内摊销 | unit: 10^-8
    iif(is_first, 0, paid_e8 - paid_before_e8) as opening_net_of_coupons_e8, -- opening without 代金券 | 扣除代金券后的期初余额 | unit: 10^-8
    iif(is_ended, paid_e8, paid_by_now_e8) - iif(is_first, 0, paid_before_e8) - refunded_e8 + returned_coupon_e8
        as expense_net_of_coupons_e8, -- what the month bears, without 代金券 | 扣除代金券后的本月费用 | unit: 10^-8
    iif(is_ended, 0, paid_e8 - paid_by_now_e8) as closing_net_of_coupons_e8 -- closing without 代金券 | 扣除代金券后的期末余额 | unit: 10^-8
from amortised;
