-- What the last run learned about the quotas: the table rate_state of ledger.sql, made anew. What was learned from refusals
-- only is learned again within seconds.
drop table rate_state;

-- Quotas learned from the vendor's refusals. | 获知的流控配额。
create table rate_state (
    account text not null,                          -- account of the configuration | 配置中的账号
    endpoint text not null,                         -- interface of the vendor | 接口
    policy text not null,                           -- whose calls are counted together: 'api', 'user', 'app', 'ip', or '' | 流控维度
    host text not null,                             -- whom it was learned from; another host has other quotas | 主机
    quota_calls integer not null,                   -- calls in a period | 每周期的调用次数
    quota_period_s integer not null,                -- length of the period | 周期长度 | unit: seconds
    origin text not null,                           -- who told it: 'header', 'refusal', 'stored', 'published', 'configured', … | 配额来源
    margin_ppm integer not null,                    -- part of the quota's time that is left unused | 保留的配额比例 | unit: millionths
    depth_milli integer not null,                   -- calls that may be made up for after a delay | 延迟后可补的调用数 | unit: thousandths
    recent text not null,                           -- calls in each thirtieth of a period up to the last call, latest first | 最近一周期内各三十分之一的调用数
    learned_at text not null,                       -- when it was learned, UTC | 获知时间（UTC）
    last_call_at text,                              -- when it was last called, UTC | 最近调用时间（UTC）
    last_refused_at text,                           -- when it was last refused, UTC | 最近被流控时间（UTC）
    program_version text not null,                  -- version of the program | 程序版本
    primary key (account, endpoint, policy)
) strict;
