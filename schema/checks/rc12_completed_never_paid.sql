-- RC12 completed, never paid | 已完成但未支付
-- severity: error
-- tolerance: none
-- needs: orders
-- A break means that the month of the order falls back to its creation. | 差异说明订单账期只能按创建时间确定。
--
-- A completed order with an amount, no trial, without a time of payment. Refund orders may have none: they are a break once
-- it is pinned, for their type, that the account's refund orders have one, or that they have none and this one does.
create view check_rc12_completed_never_paid as
with
judged as (
    select
        o.*,
        p.model
    from checked_orders as o
    left join pinned_models as p
        on o.kind = 'refund' and p.account = o.account and p.question = 'RC12 type ' || o.order_type
    where o.status = 5
        and o.amount_after_discount_e8 <> 0
        and o.order_type is not 13
        and o.not_counted_because is not 'combined trade: its members count'
),
found as (
    select
        account,
        customer_id,
        order_id as key,
        iif(model = 'not paid', 'no time of payment', 'a time of payment') as expected,
        coalesce(payment_time, '(none)') as actual,
        null as diff,
        currency,
        period,
        iif(
            kind = 'refund',
            'refund order of type ' || order_type || '; the account follows: '
            || iif(model = 'paid', 'they have a time of payment', 'they have no time of payment'),
            null
        ) as note
    from judged
    where case
            when kind is not 'refund' then payment_time is null
            when model = 'paid' then payment_time is null
            when model = 'not paid' then payment_time is not null
        end
)
select
    x.account,
    'RC12' as check_id,
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
        where b.account = x.account and b.check_id = 'RC12' and b.key = x.key and b.resolved_at is null
    ) as first_seen,
    x.note,
    null as expected_e8,
    null as actual_e8,
    null as diff_e8
from found as x;
