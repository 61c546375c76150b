-- RC15 status went back | 订单状态回退
-- severity: error
-- tolerance: none
-- needs: orders
-- A break means that the vendor rewrote history: closed figures may move. | 差异说明厂商改写了历史，已结账数据可能变化。
--
-- An order that left a final status (4 cancelled, 5 completed), lost its payment, or, as a warning, took a step that leads
-- nowhere by the known ways. Steps between two readings are not seen, so whatever can be reached in several steps is
-- allowed. Completed orders whose hardware is exchanged may wait for a refund again: a warning.
create view check_rc15_status_went_back as
with
-- What can follow each status, directly or later. From 12 and 13 on nothing is documented.
ways (status, later) as (
    values
        (1, '[3,4,5,6,9,10,11,12,13]'),
        (2, '[4,5]'),
        (3, '[4,5,10,11,12,13]'),
        (6, '[3,4,5,10,11,12,13]'),
        (9, '[3,4,5,6,10,11,12,13]'),
        (10, '[3,4,5,11,12,13]'),
        (11, '[5,12,13]'),
        (4, '[]'),
        (5, '[]')
),
-- Each replaced version of an order and the one that followed: another replaced one, or the one of now.
steps as (
    select
        o.account,
        o.order_id,
        o.customer_id,
        o.period,
        h.version,
        h.status,
        n.status as next_status,
        nullif(h.payment_time, '') as payment_time,
        nullif(n.payment_time, '') as next_payment_time,
        h.ended_at
    from checked_orders as o
    inner join orders_history as h on h.account = o.account and h.order_id = o.order_id
    inner join orders_history as n
        on n.account = h.account and n.order_id = h.order_id and n.version = h.version + 1
    union all
    select
        o.account,
        o.order_id,
        o.customer_id,
        o.period,
        h.version,
        h.status,
        n.status,
        nullif(h.payment_time, ''),
        nullif(n.payment_time, ''),
        h.ended_at
    from checked_orders as o
    inner join orders_history as h on h.account = o.account and h.order_id = o.order_id
    inner join orders as n on n.account = h.account and n.order_id = h.order_id and n.version = h.version + 1
),
found as (
    select
        s.account,
        s.customer_id,
        s.order_id || '/' || s.version || '/status' as key,
        'status ' || s.status || ' or what follows it' as expected,
        'status ' || s.next_status as actual,
        null as diff,
        null as currency,
        s.period,
        'changed at ' || s.ended_at || iif(s.status = 5 and s.next_status = 2, '; hardware that is exchanged may do so', '')
            as note,
        iif(s.status = 4 or s.status = 5 and s.next_status <> 2, 'error', 'warn') as severity
    from steps as s
    inner join ways as w on w.status = s.status
    where s.next_status <> s.status
        and s.next_status not in (select e.value from json_each(w.later) as e)
    union all
    select
        account,
        customer_id,
        order_id || '/' || version || '/payment',
        'paid at ' || payment_time,
        'not paid',
        null,
        null,
        period,
        'changed at ' || ended_at,
        'error'
    from steps
    where payment_time is not null and next_payment_time is null
)
select
    x.account,
    'RC15' as check_id,
    x.severity,
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
        where b.account = x.account and b.check_id = 'RC15' and b.key = x.key and b.resolved_at is null
    ) as first_seen,
    x.note,
    null as expected_e8,
    null as actual_e8,
    null as diff_e8
from found as x;
