-- RC03 refund exceeds price | 退款超过原价
-- severity: error
-- tolerance: T1
-- needs: orders, refund_attributions
-- A break means that a refund was made or loaded twice, or attributed to the wrong order. | 差异说明退款重复或归属错误。
--
-- An original order of which more came back than it cost. It belongs to the month of the last of its refunds.
create view check_rc03_refund_exceeds_price as
with
-- Original orders that a refund names, each once per refund.
named as (
    select
        o.account,
        o.period,
        o.order_id,
        a.base_order_id
    from checked_orders as o
    cross join refund_attributions as a
        on a.account = o.account and a.refund_order_id = o.order_id and a.gone_since is null
    where a.base_order_id <> ''
        and not exists (
            select 1
            from refund_attributions as first
            where first.account = a.account
                and first.refund_order_id = a.refund_order_id
                -- The + keeps off the index: a refund names few orders, but an order may be named by many.
                and +first.base_order_id = a.base_order_id
                and first.id < a.id
                and first.gone_since is null
        )
),
-- What came back of each, in all months.
priced as (
    select
        n.*,
        b.order_type,
        b.amount_after_discount_e8 as price_e8,
        (
            select -sum(coalesce(a.amount_e8, 0))
            from refund_attributions as a
            inner join orders as r
                on r.account = a.account and r.order_id = a.refund_order_id and r.gone_since is null
            where a.account = n.account and a.base_order_id = n.base_order_id and a.gone_since is null
        ) as refunded_e8,
        (
            select count(*)
            from refund_attributions as a
            where a.account = n.account and a.base_order_id = n.base_order_id and a.gone_since is null
        ) as attributions
    from named as n
    cross join orders as b on b.account = n.account and b.order_id = n.base_order_id
    where b.amount_after_discount_e8 is not null
),
-- Each at the last of its refunds. A case, so that the last one is only looked for where it is needed.
exceeded as (
    select *
    from priced as p
    where case
        when refunded_e8 > price_e8 + 1000000 * attributions then period || order_id = (
            select max(
                (
                    select coalesce(o.month, '') || o.order_id
                    from known_orders_by_id as o
                    where o.account = a.account and o.order_id = a.refund_order_id and o.gone_since is null
                )
            )
            from refund_attributions as a
            where a.account = p.account and a.base_order_id = p.base_order_id and a.gone_since is null
        )
    end
),
found as (
    -- Looked up, because a joined view would be made for all orders first.
    select
        e.account,
        (
            select k.customer_id from known_orders_by_id as k where k.account = e.account and k.order_id = e.base_order_id
        ) as customer_id,
        e.base_order_id as key,
        e.price_e8 as expected_e8,
        e.refunded_e8 as actual_e8,
        e.refunded_e8 - e.price_e8 as diff_e8,
        (
            select k.currency from known_orders_by_id as k where k.account = e.account and k.order_id = e.base_order_id
        ) as currency,
        e.period,
        iif(e.order_type = 3, 'the original order is a change: it may have topped up an earlier one', null) as note
    from exceeded as e
)
select
    x.account,
    'RC03' as check_id,
    'error' as severity,
    x.customer_id,
    x.key,
    decimal(x.expected_e8) as expected,
    decimal(x.actual_e8) as actual,
    decimal(x.diff_e8) as diff,
    x.currency,
    x.period,
    (
        select b.first_seen
        from breaks as b
        where b.account = x.account and b.check_id = 'RC03' and b.key = x.key and b.resolved_at is null
    ) as first_seen,
    x.note,
    x.expected_e8,
    x.actual_e8,
    x.diff_e8
from found as x;
