-- RC07 refund sanity | 退款合理性
-- severity: error
-- tolerance: none
-- needs: orders, refund_attributions
-- A break means a wrong join, or an error of a clock or unit. | 差异说明关联错误、时钟或单位错误。
--
-- A refund that happened before its original order was paid, or that belongs to another customer than its original order.
create view check_rc07_refund_sanity as
with
-- Refunds with the original orders they name, customers as the attributions say.
named as (
    select
        o.account,
        o.order_id,
        o.customer_id,
        o.event_time,
        o.currency,
        o.period,
        a.base_order_id,
        nullif(a.customer_id, '') as attributed_to,
        not exists (
            select 1
            from refund_attributions as first
            where first.account = a.account
                and first.refund_order_id = a.refund_order_id
                and first.base_order_id = a.base_order_id
                and first.id < a.id
                and first.gone_since is null
        ) as is_first
    from checked_orders as o
    cross join refund_attributions as a
        on a.account = o.account and a.refund_order_id = o.order_id and a.gone_since is null
    where a.base_order_id <> ''
        and not exists (
            select 1
            from refund_attributions as first
            where first.account = a.account
                and first.refund_order_id = a.refund_order_id
                and first.base_order_id = a.base_order_id
                and coalesce(first.customer_id, '') = coalesce(a.customer_id, '')
                and first.id < a.id
                and first.gone_since is null
        )
),
-- Looked up, because a joined view would be made for all orders first.
compared as not materialized (
    select
        n.*,
        (
            select b.payment_time
            from known_orders_by_id as b
            where b.account = n.account and b.order_id = n.base_order_id
        ) as base_paid,
        (
            select b.customer_id
            from known_orders_by_id as b
            where b.account = n.account and b.order_id = n.base_order_id
        ) as base_customer
    from named as n
),
found as (
    select
        account,
        customer_id,
        order_id || '/' || base_order_id || '/time' as key,
        'at or after ' || base_paid as expected,
        event_time as actual,
        null as diff,
        currency,
        period,
        'the refund is older than the payment of its original order' as note
    from compared
    where is_first and event_time < base_paid
    union all
    select
        account,
        customer_id,
        order_id || '/' || base_order_id || '/customer ' || attributed_to,
        base_customer,
        attributed_to,
        null,
        currency,
        period,
        'the refund belongs to another customer than its original order; accounts may have been transferred between owners'
    from compared
    where attributed_to <> base_customer and base_customer <> '(not allocated)'
)
select
    x.account,
    'RC07' as check_id,
    'error' as severity,
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
        where b.account = x.account and b.check_id = 'RC07' and b.key = x.key and b.resolved_at is null
    ) as first_seen,
    x.note,
    null as expected_e8,
    null as actual_e8,
    null as diff_e8
from found as x;
