-- How far the warehouse can be trusted: one row per account and stream. | 数据时效：每个账号和数据流一行。
-- From where its history begins up to the two
-- 'complete' times (UTC, by creation and by payment of the orders) a stream was read to its end; streams that are not
-- read by time have none.
-- A run that is still 'running' long after its start was killed: the next run says so.
create view freshness as
with
-- Whatever the ledger knows of.
known as (
    select account, stream
    from runs
    where stream <> 'verify' -- a comparison, and no stream
    union
    select account, stream
    from watermarks
    union
    select account, stream
    from coverage
    union
    select account, stream
    from queue
    union
    select account, stream
    from quarantine
),
-- The last run, and the last one that had nothing to report.
ran as (
    select
        account,
        stream,
        max(run_id) as last_run_id,
        max(iif(outcome = 'done', finished_at, null)) as last_done_at
    from runs
    group by account, stream
),
-- Orders whose dependent records are still to be read; failing ones were tried in vain.
waiting as (
    select account, stream, count(*) as queued, sum(attempts > 0) as failing
    from queue
    group by account, stream
),
-- Rows that came last in a form that could not be decoded.
undecoded as (
    select account, stream, count(distinct key) as quarantined
    from undecoded_rows
    group by account, stream
),
-- Windows, orders and lists that could not be proven complete.
unproven as (
    select account, stream, count(*) as disputed
    from coverage
    where verdict = 'disputed'
    group by account, stream
)
select
    k.account,
    k.stream,
    c.watermark as created_complete_up_to, -- orders created before were read completely, UTC | 创建时间在此之前的数据已读完（UTC）
    p.watermark as paid_complete_up_to, -- orders paid before were read completely, UTC | 支付时间在此之前的数据已读完（UTC）
    r.last_done_at, -- when a run last ended with nothing to report, UTC | 最近一次正常结束的时间（UTC）
    l.outcome as last_outcome, -- how the last run ended | 最近一次运行结果
    coalesce(w.queued, 0) as queued, -- orders whose records are still to be read | 待读取的订单数
    coalesce(w.failing, 0) as failing, -- those tried in vain | 其中读取失败的订单数
    coalesce(q.quarantined, 0) as quarantined, -- rows that could not be decoded | 无法解析的行数
    coalesce(d.disputed, 0) as disputed -- readings that could not be proven complete | 无法证明完整的读取数
from known as k
left join watermarks as c on c.account = k.account and c.stream = k.stream and c.lane = 'created'
left join watermarks as p on p.account = k.account and p.stream = k.stream and p.lane = 'paid'
left join ran as r on r.account = k.account and r.stream = k.stream
left join runs as l on l.run_id = r.last_run_id
left join waiting as w on w.account = k.account and w.stream = k.stream
left join undecoded as q on q.account = k.account and q.stream = k.stream
left join unproven as d on d.account = k.account and d.stream = k.stream;
