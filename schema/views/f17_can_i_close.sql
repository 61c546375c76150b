-- F17: can I close the month? Per account, customer and month: what was read, when, and what is missing. | 数据完整性与时效：能否结账。
-- '(all customers)' is the account as a whole; other rows are the customers with orders in the month. verdict is
--   'incomplete'  when time of the month was never read, is disputed or undecoded, or what belongs to one of its orders waits
--                 to be read (unread);
--   'provisional' when everything was read, but not since the month was final (at 10:00 on the 4th, UTC+8), or since then no
--                 reconciliation evaluated every check of severity error for it (reconciled_at), or an open break of that
--                 severity says that what was read cannot be right;
--   'complete'    otherwise: it can be closed.
-- Lines, attributions and resources need not be read again after the month is final: a change of their order, which a later
-- reading of the orders shows, puts them into the queue.
create view f17_can_i_close as
with
-- Unacknowledged breaks of severity error, per account, month and customer ('' when they concern none).
open_error_breaks as (
    select account, period as month, coalesce(customer_id, '') as customer_id, count(*) as breaks
    from open_breaks
    where severity = 'error' and not is_acknowledged
    group by account, period, coalesce(customer_id, '')
),
-- When a reconciliation last began that evaluated every check, of all months ('') or of one.
reconciled as materialized (
    select account, month, max(started_at) as began_at
    from full_reconciliations
    group by account, month
),
-- Every order of the month with the oldest reading of what belongs to it. Members of combined trades are read with them. Not
-- materialized, so that a filter on the month reaches the orders.
dependents as not materialized (
    select
        o.account,
        o.month,
        o.customer_id,
        o.order_id,
        (
            select max(c.read_at)
            from coverage as c
            where c.account = o.account and c.stream = 'order_lines' and c.verdict = 'complete'
                and c.scope = 'order ' || coalesce(nullif(o.parent_order_id, ''), o.order_id)
        ) as lines_read_at,
        (
            select max(c.read_at)
            from coverage as c
            where c.account = o.account and c.stream = 'refund_attributions' and c.verdict = 'complete'
                and c.scope = 'order ' || o.order_id
        ) as refunds_read_at,
        (
            select max(c.read_at)
            from coverage as c
            where c.account = o.account and c.stream = 'resources' and c.verdict = 'complete'
                and c.scope = 'order ' || coalesce(nullif(o.parent_order_id, ''), o.order_id)
        ) as resources_read_at,
        exists (
            select 1
            from queue as q
            where q.account = o.account
                and q.stream in ('order_lines', 'refund_attributions', 'resources')
                and q.parent_id in (o.order_id, o.parent_order_id)
        ) as is_unread
    from known_orders as o
    where o.gone_since is null
),
-- Each order for its customer and for the account; and the account in months without orders.
rows_of_months as (
    select account, month, customer_id, 1 as orders, lines_read_at, refunds_read_at, resources_read_at, is_unread
    from dependents
    union all
    select account, month, '(all customers)', 1, lines_read_at, refunds_read_at, resources_read_at, is_unread
    from dependents
    union all
    select account, month, '(all customers)', 0, null, null, null, 0
    from coverage_by_month
    where stream = 'orders'
),
-- One row per account, month and customer. Windows and no 'group by': see f01_net_spend_by_service.
sums as (
    select distinct
        account,
        month,
        customer_id,
        sum(orders) over customer as orders,
        min(lines_read_at) over customer as lines_read_at,
        min(refunds_read_at) over customer as refunds_read_at,
        min(resources_read_at) over customer as resources_read_at,
        sum(is_unread) over customer as unread
    from rows_of_months
    window customer as (partition by account, month, customer_id)
),
-- With the readings of the orders themselves, which are the account's.
judged as (
    select
        s.*,
        strftime('%Y-%m-%dT%H:%M:%SZ', s.month || '-01', '+1 month', '+3 days', '+2 hours') as final_at,
        c.state,
        c.last_proof_at as orders_read_at,
        w.watermark as payments_read_until,
        (c.month_seconds - c.covered_seconds + 86399) / 86400 as days_missing,
        coalesce(
            (
                select sum(b.breaks)
                from open_error_breaks as b
                where b.account = s.account and b.month = s.month
                    and (b.customer_id in ('', s.customer_id) or s.customer_id = '(all customers)')
            ),
            0
        ) as known_breaks,
        max(coalesce(whole.began_at, ''), coalesce(one.began_at, '')) as checked_at
    from sums as s
    left join coverage_by_month as c on c.account = s.account and c.stream = 'orders' and c.month = s.month
    left join watermarks as w on w.account = s.account and w.stream = 'orders' and w.lane = 'paid'
    left join reconciled as whole on whole.account = s.account and whole.month = ''
    left join reconciled as one on one.account = s.account and one.month = s.month
    where s.month is not null
),
-- Whether the orders were read to the end of the month, by creation and by payment, since it was final, and when the month
-- was checked since then. A check that came before the last reading found a break: that it was not read since (RC29).
finals as (
    select
        *,
        coalesce(min(orders_read_at, payments_read_until) >= final_at, 0) as is_read_after_final,
        iif(checked_at >= final_at, checked_at, null) as reconciled_at
    from judged
)
select
    account,
    month,
    customer_id,
    case
        when unread > 0 or coalesce(state, 'incomplete') not in ('complete', 'open') then 'incomplete'
        when is_read_after_final and state = 'complete' and reconciled_at is not null and known_breaks = 0 then 'complete'
        else 'provisional'
    end as verdict, -- complete, provisional or incomplete | 结论：complete 可结账，provisional 暂定，incomplete 不完整
    final_at, -- when the vendor's figures of the month are final, UTC | 账期数据最终确定时间（UTC）
    is_read_after_final, -- 1: the orders were read since then | 是否在最终确定后读取
    state as orders_state, -- state of coverage_by_month | 订单读取状态
    orders_read_at, -- every second of the month was read at or after this time, UTC | 订单最近完整读取时间（UTC）
    payments_read_until, -- payments were read up to this time, UTC | 支付读取截至时间（UTC）
    days_missing, -- days, begun ones included, that were never read | 未读取的天数
    orders,
    lines_read_at, -- oldest of the last readings of the lines, UTC | 订单项最早的最近读取时间（UTC）
    refunds_read_at, -- oldest of the last readings of the attributions, UTC | 退款归属最早的最近读取时间（UTC）
    resources_read_at, -- oldest of the last readings of the resources, UTC | 资源最早的最近读取时间（UTC）
    unread, -- orders of which something waits to be read | 待读取明细的订单数
    iif(reconciled_at is null, null, known_breaks) as open_error_breaks, -- open breaks of severity error that nobody explained; null: not checked since the month was final | 未确认的错误级差异数；空：定账后未核对
    reconciled_at -- when the last reconciliation since then began that evaluated every check of the month, UTC | 定账后最近一次完整核对的开始时间（UTC）
from finals;
