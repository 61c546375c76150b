-- The table coverage of ledger.sql, made anew: a verdict more. Its rows stay; nothing is renamed, because that would fail
-- on views that read it.

create temp table kept_coverage as select * from coverage;

drop table coverage;

-- What was read to its end: one row per window, parent or whole list, renewed at each reading. | 读取覆盖：每个时间窗口、订单或列表一行。
create table coverage (
    account text not null,                          -- account of the configuration | 配置中的账号
    stream text not null,                           -- what was read | 数据流
    scope text not null,                            -- what was read of it | 读取范围
    customer_id text not null default '',           -- whose, when the request names a customer | 请求中指定的客户ID
    lane text,                                      -- time field of the window: 'created' or 'paid'; else null | 时间窗口字段：created 创建时间，paid 支付时间
    window_begin text,                              -- first second of the window, UTC; null for parents and whole lists | 窗口起始秒（UTC）
    window_end text,                                -- first second behind the window, UTC | 窗口结束秒（UTC，不含）
    parent_id text,                                 -- order the records belong to | 所属订单ID
    expected integer,                               -- rows the vendor announced; null when it said nothing | 华为云声明的总行数
    seen integer not null,                          -- rows received, repeated ones counted once | 收到的行数（重复只计一次）
    rejected integer not null default 0,            -- rows among them that could not be decoded | 其中无法解析的行数
    requests integer not null,                      -- answers it took | 使用的应答数
    attempts integer not null,                      -- walks it took | 读取次数
    verdict text not null                           -- 'refused': the vendor did not show a customer's list when it was
        check (verdict in ('complete', 'disputed', 'refused')),     -- last asked for | 结论：complete 完整，disputed 有争议，refused 被拒绝
    proof text not null,                            -- what makes it complete, or why it is disputed or refused | 完整性依据，或有争议、被拒绝的原因
    run_id integer not null references runs (run_id), -- run that read it | 读取的运行编号
    started_at text,                                -- when the first page of the walk was answered, UTC | 首页应答时间（UTC）
    read_at text not null,                          -- when the last one was, UTC | 末页应答时间（UTC）
    primary key (account, stream, scope, customer_id)
) strict;

insert into coverage select * from kept_coverage;

drop table kept_coverage;

create index coverage_by_window on coverage (account, stream, lane, window_begin);
