-- Is March complete, and since when do we know? | 各账期是否完整，自何时起。
-- One row per account, stream that is read by time of creation, and billing
-- month (UTC+8), from the month in which its history begins (the mark 'created from') to the current one. The first month
-- counts from that mark on: begins_at says so. All times are UTC.
-- state is
--   'disputed'   when a window that reaches into the month could not be proven complete and was not settled since;
--   'undecoded'  when an order that was created in it, or that does not say when, came last in a form that could not be
--                decoded (view undecoded_rows): what it holds is not in orders;
--   'complete'   when every second of the month is in windows that were read completely;
--   'open'       when it has not ended, or ended less than a day ago, and all of it that is older than a day is covered:
--                the day is for jobs that run once a day;
--   'incomplete' otherwise.
-- complete_since: when its last window was stored or its last dispute settled; null unless the month is complete, and until
-- the run that did so has looked.
-- last_proof_at: every second of it was read at or after this time (null when a second of it was not read yet).
-- first_gap: the first second of it, up to now, that is in no complete window; in an open month how far it was read.
-- A window that reaches into two months counts, with its requests, in both. orders are those that the list shows in their
-- own right: members of combined orders and vanished ones are not counted.
create view coverage_by_month as
with recursive
clock as materialized (
    select unixepoch('now') as now
),
-- Days are those of UTC+8, counted from 1970-01-01; times are seconds of Unix time.
histories as materialized (
    select
        w.account,
        w.stream,
        unixepoch(w.watermark) as begins,
        (unixepoch(w.watermark) + 28800) / 86400 as first_day,
        (c.now + 28800) / 86400 as last_day
    from watermarks as w
    join clock as c
    where w.lane = 'created from'
),
months as materialized (
    select account, stream, date(first_day * 86400, 'unixepoch', 'start of month') as first, begins, last_day
    from histories
    union all
    select account, stream, date(first, '+1 month'), begins, last_day
    from months
    where unixepoch(first, '+1 month') / 86400 <= last_day
),
spans as materialized (
    select
        account,
        stream,
        strftime('%Y-%m', first) as month,
        max(unixepoch(first) - 28800, begins) as begins,
        unixepoch(first, '+1 month') - 28800 as ends
    from months
),
days as (
    select account, stream, first_day as day, begins, last_day
    from histories
    union all
    select account, stream, day + 1, begins, last_day
    from days
    where day < last_day
),
-- Complete windows, cut at midnight: what belongs together is found by its day. The first piece in a month stands for the
-- window in that month.
pieces as materialized (
    select
        h.account,
        h.stream,
        max((unixepoch(c.window_begin) + 28800) / 86400, h.first_day) as day,
        unixepoch(c.window_begin) as begins,
        unixepoch(c.window_end) as ends,
        -- A sorted walk may be resumed for a day: its first rows are as old as its begin.
        coalesce(c.started_at, c.read_at) as read_at,
        c.requests,
        1 as is_first
    from histories as h
    cross join coverage as c
    where
        c.account = h.account and c.stream = h.stream and c.lane = 'created' and c.customer_id = ''
        and c.verdict = 'complete' and unixepoch(c.window_end) > h.begins
    union all
    select
        account, stream, day + 1, begins, ends, read_at, requests,
        strftime('%d', (day + 1) * 86400, 'unixepoch') = '01'
    from pieces
    where (day + 1) * 86400 - 28800 < ends
),
-- Wherever a window begins or ends, another set of windows holds the time.
cuts as (
    select account, stream, day, max(day * 86400 - 28800, begins) as at
    from days
    union
    select account, stream, day, begins
    from pieces
    where begins > day * 86400 - 28800
    union
    select account, stream, day, ends
    from pieces
    where ends < (day + 1) * 86400 - 28800
),
segments as materialized (
    select
        account,
        stream,
        day,
        at as begins,
        lead(at, 1, (day + 1) * 86400 - 28800) over (partition by account, stream, day order by at) as ends
    from cuts
),
-- When each segment was last read.
readings as (
    select s.account, s.stream, s.day, s.begins, s.ends, max(p.read_at) as read_at
    from segments as s
    left join pieces as p
        on p.account = s.account and p.stream = s.stream and p.day = s.day and p.begins <= s.begins and p.ends >= s.ends
    group by s.account, s.stream, s.day, s.begins
),
covered as materialized (
    select
        r.account,
        r.stream,
        strftime('%Y-%m', r.day * 86400, 'unixepoch') as month,
        sum(iif(r.read_at is null, 0, r.ends - r.begins)) as seconds,
        min(r.read_at) as oldest,
        min(iif(r.read_at is null and r.begins <= c.now, r.begins, null)) as first_gap
    from readings as r
    join clock as c
    group by r.account, r.stream, month
),
used as materialized (
    select
        account, stream, strftime('%Y-%m', day * 86400, 'unixepoch') as month, count(*) as windows,
        sum(requests) as requests
    from pieces
    where is_first
    group by account, stream, month
),
unproven as materialized (
    select c.account, c.stream, unixepoch(c.window_begin) as begins, unixepoch(c.window_end) as ends
    from histories as h
    cross join coverage as c
    where c.account = h.account and c.stream = h.stream and c.lane = 'created' and c.verdict = 'disputed'
),
undecoded as materialized (
    select account, stream, unixepoch(first_second) as first_second, unixepoch(last_second) as last_second
    from undecoded_rows
),
judged as (
    select
        s.account,
        s.stream,
        s.month,
        s.begins,
        s.ends,
        case
            when exists (
                select 1
                from unproven as d
                where d.account = s.account and d.stream = s.stream and d.begins < s.ends and d.ends > s.begins
            ) then 'disputed'
            when exists (
                select 1
                from undecoded as u
                where
                    u.account = s.account and u.stream = s.stream
                    and coalesce(u.first_second < s.ends and u.last_second >= s.begins, true)
            ) then 'undecoded'
            when c.seconds = s.ends - s.begins then 'complete'
            when s.ends > k.now - 86400 and coalesce(c.first_gap, k.now) >= k.now - 86400 then 'open'
            else 'incomplete'
        end as state,
        c.seconds,
        c.oldest,
        c.first_gap
    from spans as s
    join clock as k
    join covered as c on c.account = s.account and c.stream = s.stream and c.month = s.month
)
select
    j.account,
    j.stream,
    j.month, -- billing month of creation (UTC+8) | 创建时间的账期（UTC+8）
    strftime('%Y-%m-%dT%H:%M:%SZ', j.begins, 'unixepoch') as begins_at, -- first second of the month that counts, UTC | 起始秒（UTC）
    strftime('%Y-%m-%dT%H:%M:%SZ', j.ends, 'unixepoch') as ends_at, -- first second behind it, UTC | 结束秒（UTC，不含）
    j.state, -- 'complete', 'open', 'incomplete', 'disputed' or 'undecoded' | 状态：complete 完整，open 未结束，incomplete 不完整，disputed 有争议，undecoded 有无法解析的行
    iif(j.state = 'complete', m.complete_since, null) as complete_since,
    j.seconds as covered_seconds, -- seconds that were read completely | 已完整读取的秒数 | unit: seconds
    j.ends - j.begins as month_seconds, -- seconds of the month that count | 应读取的秒数 | unit: seconds
    coalesce(u.windows, 0) as windows, -- windows that reach into it | 涉及的时间窗口数
    coalesce(u.requests, 0) as requests, -- answers they took | 使用的应答数
    (
        select count(*)
        from orders as o
        where
            o.account = j.account and o.parent_order_id is null and o.gone_since is null
            and o.create_time >= strftime('%Y-%m-%dT%H:%M:%SZ', j.begins, 'unixepoch')
            and o.create_time < strftime('%Y-%m-%dT%H:%M:%SZ', j.ends, 'unixepoch')
    ) as orders, -- orders created in it that the list shows | 当月创建的订单数
    (
        select count(*)
        from late_orders as l
        where
            l.account = j.account
            and l.create_time >= strftime('%Y-%m-%dT%H:%M:%SZ', j.begins, 'unixepoch')
            and l.create_time < strftime('%Y-%m-%dT%H:%M:%SZ', j.ends, 'unixepoch')
    ) as late_orders, -- those that appeared late | 其中迟到的订单数
    iif(j.seconds = j.ends - j.begins, j.oldest, null) as last_proof_at, -- every second of it was read then or later, UTC | 全月在此时或之后均被读取（UTC）
    strftime('%Y-%m-%dT%H:%M:%SZ', j.first_gap, 'unixepoch') as first_gap -- first second that was not read yet, UTC | 第一个未读取的时刻（UTC）
from judged as j
left join complete_months as m on m.account = j.account and m.stream = j.stream and m.month = j.month
left join used as u on u.account = j.account and u.stream = j.stream and u.month = j.month;
