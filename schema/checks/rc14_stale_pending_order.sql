-- RC14 stale pending order | 待支付订单逾期未更新
-- severity: warn
-- tolerance: 24 hours
-- needs: orders, order_lines
-- A break means that changes of old orders are not read again. | 差异说明旧订单的变化未被重新读取。
--
-- An order that still waits for payment more than a day after its deadline. Members of a combined trade are paid with their
-- trade, whose details have the deadline.
create view check_rc14_stale_pending_order as
with
pending as (
    select
        o.account,
        o.customer_id,
        o.order_id,
        o.currency,
        o.period,
        r.last_seen_at,
        coalesce(
            (
                select nullif(d.pending_payment_end_time, '')
                from order_details as d
                where d.account = o.account and d.order_id = o.order_id and d.gone_since is null
            ),
            (
                select nullif(d.pending_payment_end_time, '')
                from order_details as d
                where d.account = o.account and d.order_id = o.parent_order_id and d.gone_since is null
            )
        ) as deadline
    from checked_orders as o
    inner join orders as r on r.account = o.account and r.order_id = o.order_id
    where o.status = 6 and o.not_counted_because is not 'combined trade: its members count'
),
found as (
    select
        account,
        customer_id,
        order_id as key,
        'paid or cancelled by ' || deadline as expected,
        'pending payment' as actual,
        null as diff,
        currency,
        period,
        iif(
            unixepoch(last_seen_at) > unixepoch(deadline) + 86400,
            'the vendor still showed it after that: the platform cancels late',
            'not read since ' || last_seen_at
        ) as note
    from pending
    where unixepoch(deadline) < unixepoch('now') - 86400
)
select
    x.account,
    'RC14' as check_id,
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
        where b.account = x.account and b.check_id = 'RC14' and b.key = x.key and b.resolved_at is null
    ) as first_seen,
    x.note,
    null as expected_e8,
    null as actual_e8,
    null as diff_e8
from found as x;
