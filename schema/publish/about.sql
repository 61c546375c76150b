-- What the copy for finance says about itself. Run once in each copy (temp.this_copy has its version and time), and frozen
-- there: the views that ask for the present would say something else every day.

-- Breaks of severity error that nobody explained, per account and billing month ('' when a break belongs to none). That there
-- is none is only said of a month that was checked since it ended, or, while it runs, since it began.
create temp view open_breaks_by_month as
select account, period as month, count(*) as breaks
from open_breaks
where severity = 'error' and not is_acknowledged
group by account, period;

drop table if exists about;
drop table if exists about_accounts;
drop table if exists about_months;

-- How far each month was read, as it was known when the copy was made. | 各账期的读取情况（生成副本时）。
create table about_months (
    account text not null,                          -- account of the configuration | 配置中的账户
    stream text not null,                           -- what was read | 读取的数据流
    month text not null,                            -- billing month of creation, UTC+8 | 创建时间的账期（UTC+8）
    verdict text not null,                          -- complete, open (running), incomplete, disputed or undecoded | 完整性结论：complete 完整，open 未结束，incomplete 不完整，disputed 有争议，undecoded 有无法解析的行
    complete_since text,                            -- when it became complete, UTC | 自何时起完整（UTC）
    last_proof_at text,                             -- every second of it was read then or later, UTC | 全月最后一次被完整读取的时间（UTC）
    first_gap text,                                 -- first second that was not read, UTC | 第一个未读取的时刻（UTC）
    orders integer not null,                        -- orders created in it | 该月创建的订单数
    late_orders integer not null,                   -- those that appeared late | 迟到的订单数
    open_breaks integer,                            -- breaks of severity error that nobody explained; null: none is known, and not everything was checked | 未确认的错误级差异数；空：未发现且未完整核对
    primary key (account, stream, month)
) strict;

insert into about_months
select
    c.account,
    c.stream,
    c.month,
    c.state,
    c.complete_since,
    c.last_proof_at,
    c.first_gap,
    c.orders,
    c.late_orders,
    coalesce(
        (
            select b.breaks
            from open_breaks_by_month as b
            where b.account = c.account and b.month = c.month
        ),
        iif(
            exists (
                select 1
                from full_reconciliations as r
                join temp.this_copy as t
                where r.account = c.account
                    and r.month in ('', c.month)
                    and r.started_at >= iif(c.ends_at <= t.published_at, c.ends_at, c.begins_at)
            ),
            0,
            null
        )
    )
from coverage_by_month as c
order by c.account, c.stream, c.month;

-- How fresh the orders of each account are. | 各账户订单数据的时效。
create table about_accounts (
    account text not null primary key,              -- account of the configuration | 配置中的账户
    first_month text,                               -- first billing month that was read, UTC+8 | 已读取的首个账期（UTC+8）
    last_month text,                                -- last one | 已读取的最后账期（UTC+8）
    data_as_of text,                                -- orders were read completely up to here, by creation and payment, UTC | 数据截至时间（UTC）
    data_as_of_utc8 text,                           -- the same in UTC+8 | 数据截至时间（UTC+8）
    open_breaks integer                             -- breaks of severity error that nobody explained; null: none is known, and not everything was checked | 未确认的错误级差异数；空：未发现且未完整核对
) strict;

insert into about_accounts
with
-- Whatever was ever read.
accounts as (
    select account
    from runs
    union
    select account
    from watermarks
),
-- The lane that is behind decides.
fresh as (
    select account, min(watermark) as data_as_of
    from watermarks
    where stream = 'orders' and lane in ('created', 'paid')
    group by account
),
spans as (
    select
        account,
        min(month) as first_month,
        max(month) as last_month,
        iif(count(open_breaks) = count(*), 0, null) as no_breaks
    from about_months
    where stream = 'orders'
    group by account
)
select
    a.account,
    s.first_month,
    s.last_month,
    f.data_as_of,
    strftime('%Y-%m-%d %H:%M:%S', f.data_as_of, '+8 hours'),
    coalesce((select sum(b.breaks) from open_breaks_by_month as b where b.account = a.account), s.no_breaks)
from accounts as a
left join fresh as f on f.account = a.account
left join spans as s on s.account = a.account
order by a.account;

-- The copy in one row. | 副本概况（一行）。
create table about (
    first_month text,                               -- first billing month that was read, UTC+8 | 已读取的首个账期（UTC+8）
    last_month text,                                -- last one | 已读取的最后账期（UTC+8）
    accounts integer not null,                      -- number of accounts | 账户数
    months integer not null,                        -- months of all accounts | 账户账期总数
    complete_months integer not null,               -- those that are complete | 其中完整的账期数
    data_as_of text,                                -- orders of every account were read completely up to here, UTC | 全部账户的数据截至时间（UTC）
    data_as_of_utc8 text,                           -- the same in UTC+8 | 全部账户的数据截至时间（UTC+8）
    open_breaks integer,                            -- breaks of severity error that nobody explained; null: none is known, and not everything was checked | 未确认的错误级差异数；空：未发现且未完整核对
    program_version text not null,                  -- bss-sync that made the copy | 生成此副本的程序版本
    schema_version integer not null,                -- version of the tables | 数据库结构版本
    published_at text not null,                     -- when it was made, UTC | 发布时间（UTC）
    published_at_utc8 text not null                 -- the same in UTC+8 | 发布时间（UTC+8）
) strict;

insert into about
with
-- The whole is as old as the oldest of it, and unknown as long as a part of it is.
accounts as (
    select
        count(*) as accounts,
        min(first_month) as first_month,
        max(last_month) as last_month,
        iif(count(data_as_of) = count(*), min(data_as_of), null) as data_as_of,
        iif(count(open_breaks) = count(*), sum(open_breaks), null) as open_breaks
    from about_accounts
),
months as (
    select count(*) as months, coalesce(sum(verdict = 'complete'), 0) as complete_months
    from about_months
)
select
    a.first_month,
    a.last_month,
    a.accounts,
    m.months,
    m.complete_months,
    a.data_as_of,
    strftime('%Y-%m-%d %H:%M:%S', a.data_as_of, '+8 hours'),
    a.open_breaks,
    t.program_version,
    (select user_version from pragma_user_version),
    t.published_at,
    strftime('%Y-%m-%d %H:%M:%S', t.published_at, '+8 hours')
from accounts as a, months as m, temp.this_copy as t;

drop view temp.open_breaks_by_month;
