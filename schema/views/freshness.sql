-- How far the warehouse can be trusted: one row per account and stream. From where its history begins up to the two
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
    c.watermark as created_complete_up_to,
    p.watermark as paid_complete_up_to,
    r.last_done_at,
    l.outcome as last_outcome,
    coalesce(w.queued, 0) as queued,
    coalesce(w.failing, 0) as failing,
    coalesce(q.quarantined, 0) as quarantined,
    coalesce(d.disputed, 0) as disputed
from known as k
left join watermarks as c on c.account = k.account and c.stream = k.stream and c.lane = 'created'
left join watermarks as p on p.account = k.account and p.stream = k.stream and p.lane = 'paid'
left join ran as r on r.account = k.account and r.stream = k.stream
left join runs as l on l.run_id = r.last_run_id
left join waiting as w on w.account = k.account and w.stream = k.stream
left join undecoded as q on q.account = k.account and q.stream = k.stream
left join unproven as d on d.account = k.account and d.stream = k.stream;
