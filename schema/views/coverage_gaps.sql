-- What was not read, or not read again since it was final. | 未读取、或定账后未重新读取的数据。
-- It is what the checks miss, and check RC29. Months are those of coverage_by_month (of creation); what belongs to
-- orders is listed by the month of the order, as in the views of spend; lists that show no month ('') concern all. A
-- month is final from 10:00 of the 4th of the next month on (UTC+8), when the vendor has closed it. is_break is 0 for
-- what is no fault yet: orders of the running month that have waited for less than a day. Streams that were never read
-- are not listed: they have no gaps, they are missing.
create view coverage_gaps as
with
-- The last month that is final, and since when.
closed as materialized (
    select month, strftime('%Y-%m-%dT%H:%M:%SZ', month || '-04', '+1 month', '+2 hours') as final_at
    from (
        select strftime('%Y-%m', 'now', '+8 hours', '-3 days', '-10 hours', 'start of month', '-1 month') as month
    )
),
-- Streams of which something was read, or that a run found nothing to read of.
streams as materialized (
    select distinct account, stream
    from runs
    where outcome in ('done', 'findings')
        or exists (
            select 1
            from coverage as c
            where c.account = runs.account and c.stream = runs.stream
        )
),
-- Customers who left are not asked for any more.
left_customers as materialized (
    select account, customer_id
    from sub_customers
    where gone_since is not null
),
months as (
    select
        m.account,
        m.stream,
        null as customer_id,
        iif(m.state = 'complete', 'before it was final', m.state) as gap,
        m.month as period,
        iif(
            m.state = 'complete',
            'read at or after ' || strftime('%Y-%m-%dT%H:%M:%SZ', m.month || '-04', '+1 month', '+2 hours'),
            'every second read'
        ) as expected,
        iif(m.state = 'complete', m.last_proof_at, coalesce(m.first_gap, m.state)) as actual,
        case m.state
            when 'complete' then 'read it once more: bss-sync run orders --full, or wait for the next sweep'
            when 'incomplete' then 'the first second that was not read is shown'
            when 'disputed' then 'see view disputes'
            else 'see view undecoded_rows'
        end as note,
        1 as is_break
    from coverage_by_month as m
    join closed as c
    where m.state in ('incomplete', 'disputed', 'undecoded')
        or m.state = 'complete'
        and m.month <= c.month
        and m.last_proof_at < strftime('%Y-%m-%dT%H:%M:%SZ', m.month || '-04', '+1 month', '+2 hours')
),
-- Orders that are due to be asked for. One that was answered since it was queued is only to be read once more.
due as (
    select
        q.account,
        q.stream,
        coalesce(
            (
                select o.month
                from known_orders_by_id as o
                where o.account = q.account and o.order_id = q.parent_id
            ),
            strftime('%Y-%m', q.parent_time, '+8 hours'),
            ''
        ) as period,
        q.attempts,
        q.last_error,
        q.enqueued_at
    from streams as s
    cross join queue as q on q.account = s.account and q.stream = s.stream
    where (q.not_before <= strftime('%Y-%m-%dT%H:%M:%SZ', 'now') or q.attempts > 0)
        and not exists (
            select 1
            from left_customers as l
            where q.stream <> 'orders' and l.account = q.account and l.customer_id = q.customer_id
        )
        and not exists (
            select 1
            from coverage as c
            where c.account = q.account
                and c.stream = q.stream
                and c.scope = 'order ' || q.parent_id
                and c.verdict = 'complete'
                and c.read_at >= q.enqueued_at
        )
),
waiting as (
    select
        account,
        stream,
        null as customer_id,
        'orders waiting' as gap,
        period,
        '0 orders in the queue' as expected,
        count(*) || ' orders in the queue' as actual,
        iif(sum(attempts > 0) > 0, sum(attempts > 0) || ' failing, e.g. ' || coalesce(max(last_error), ''), null) as note,
        sum(attempts > 0) > 0
        or period < strftime('%Y-%m', 'now', '+8 hours')
        or min(enqueued_at) < strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-1 day') as is_break
    from due
    group by account, stream, period
),
-- What belongs to an order and could not be proven complete.
disputed as (
    select
        d.account,
        d.stream,
        null as customer_id,
        'orders disputed' as gap,
        d.period,
        '0 orders disputed' as expected,
        count(*) || ' orders disputed' as actual,
        'see view disputes' as note,
        1 as is_break
    from (
        select
            c.account,
            c.stream,
            coalesce(
                (
                    select o.month
                    from known_orders_by_id as o
                    where o.account = c.account and o.order_id = c.parent_id
                ),
                ''
            ) as period
        from coverage as c
        where c.verdict <> 'complete' and c.verdict = 'disputed' and c.parent_id is not null
    ) as d
    group by d.account, d.stream, d.period
),
-- Orders that have records of a stream by their own type and status, and that neither coverage nor queue knows. The lines
-- of a combined trade come with the trade, all else with its members.
owing as (
    select
        o.account,
        'order_lines' as stream,
        o.period,
        o.order_id,
        o.customer_id
    from checked_orders as o
    where o.parent_order_id is null
        and exists (
            select 1
            from streams as s
            where s.account = o.account and s.stream = 'order_lines'
        )
    union all
    select
        o.account,
        'refund_attributions',
        o.period,
        o.order_id,
        o.customer_id
    from checked_orders as o
    inner join orders as r on r.account = o.account and r.order_id = o.order_id
    where o.not_counted_because is not 'combined trade: its members count'
        and (r.order_type in (4, 10) or r.order_type = 3 and r.status = 5)
        and exists (
            select 1
            from streams as s
            where s.account = o.account and s.stream = 'refund_attributions'
        )
    union all
    select
        o.account,
        'resources',
        o.period,
        o.order_id,
        o.customer_id
    from checked_orders as o
    inner join orders as r on r.account = o.account and r.order_id = o.order_id
    where o.not_counted_because is not 'combined trade: its members count'
        and r.status = 5
        and r.order_type is not 4
        and r.order_type is not 10
        and r.order_type is not 15
        and exists (
            select 1
            from streams as s
            where s.account = o.account and s.stream = 'resources'
        )
),
-- Counted in a window and not grouped: a filter on the period would not reach the orders through a grouping.
unread as (
    select
        w.account,
        w.stream,
        w.period,
        w.order_id,
        count(*) over (partition by w.account, w.stream, w.period) as orders,
        row_number() over (partition by w.account, w.stream, w.period order by w.order_id) as place
    from owing as w
    where not exists (
            select 1
            from coverage as c
            where c.account = w.account and c.stream = w.stream and c.scope = 'order ' || w.order_id
        )
        and not exists (
            select 1
            from queue as q
            where q.account = w.account and q.stream = w.stream and q.parent_id = w.order_id
        )
        and not exists (
            select 1
            from left_customers as l
            where l.account = w.account and l.customer_id = w.customer_id
        )
),
never_read as (
    select
        account,
        stream,
        null as customer_id,
        'orders never read' as gap,
        period,
        '0 orders never read' as expected,
        orders || ' orders never read' as actual,
        'e.g. ' || order_id || '; bss-sync verify --repair reads them' as note,
        1 as is_break
    from unread
    where place = 1
),
-- Whole lists that were read, and those of a partner's customers that should have been.
lists as (
    select c.account, c.stream, nullif(c.customer_id, '') as customer_id, c.verdict, c.proof, c.read_at
    from streams as s
    cross join coverage as c
    where c.account = s.account
        and c.stream = s.stream
        and c.scope = 'whole'
        and not exists (
            select 1
            from left_customers as l
            where l.account = c.account and l.customer_id = c.customer_id
        )
    union all
    select k.account, s.stream, k.customer_id, 'never read', null, null
    from sub_customers as k
    inner join streams as s on s.account = k.account and s.stream = 'resources'
    where k.gone_since is null
        and k.role = 'partner'
        and not exists (
            select 1
            from coverage as c
            where c.account = k.account
                and c.stream = s.stream
                and c.scope = 'whole'
                and c.customer_id = k.customer_id
        )
),
unread_lists as (
    select
        l.account,
        l.stream,
        l.customer_id,
        iif(l.verdict = 'complete', 'list before it was final', 'list ' || l.verdict) as gap,
        iif(l.verdict = 'complete', c.month, '') as period,
        iif(l.verdict = 'complete', 'read at or after ' || c.final_at, 'read completely') as expected,
        iif(l.verdict = 'complete', l.read_at, l.verdict) as actual,
        iif(l.verdict = 'complete', null, l.proof) as note,
        1 as is_break
    from lists as l
    join closed as c
    where l.verdict <> 'complete'
        -- Names are no figures: catalogues need not be read anew for a month.
        or l.stream = 'resources' and l.read_at < c.final_at
),
gaps as (
    select *
    from months
    union all
    select *
    from waiting
    union all
    select *
    from disputed
    union all
    select *
    from never_read
    union all
    select *
    from unread_lists
)
select
    account,
    stream,
    customer_id,
    stream || '/' || gap || coalesce('/' || customer_id, '') || iif(period = '', '', '/' || period) as key, -- names the gap | 缺口标识
    gap, -- what kind of gap it is | 缺口类型
    period,
    expected, -- what should have been read | 应读取
    actual, -- what was read | 实际读取
    note, -- why, and what to do | 说明
    is_break -- 1: a fault (RC29); 0: may still come in its time | 是否为差异
from gaps;
