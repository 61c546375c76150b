-- The ledger of reconciliation: how each check ended, the breaks it found, who explained them, and which of two possible
-- meanings of the vendor's figures an account follows. All times are UTC, yyyy-MM-ddTHH:mm:ssZ.

-- Executions of `bss-sync reconcile`. | 核对的各次执行。
create table reconciliations (
    reconciliation_id integer primary key,          -- number of the execution | 核对编号
    program_version text not null,                  -- version of the program | 程序版本
    month text not null default '',                 -- billing month (UTC+8) it was limited to; '' = everything | 账期（UTC+8），空表示全部
    started_at text not null,                       -- when it began to read, UTC | 开始时间（UTC）
    finished_at text not null,                      -- when it stored what it found, UTC | 结束时间（UTC）
    exit_code integer not null                      -- how it ended: 0, 3 or 4 | 退出码
) strict;

-- How each check ended for each account. | 各账号每项检查的结果。
create table reconciliation_outcomes (
    reconciliation_id integer not null              -- execution it belongs to | 核对编号
        references reconciliations (reconciliation_id),
    account text not null,                          -- account of the configuration | 配置中的账号
    check_id text not null,                         -- check, e.g. RC01 | 检查编号
    severity text not null,                         -- what a break means for the result: error, warn or info | 级别
    is_required integer not null,                   -- 1: the result depends on its being evaluated | 是否必需
    status text not null                            -- pass, fail, skipped or inconclusive | 结果
        check (status in ('pass', 'fail', 'skipped', 'inconclusive')),
    reason text,                                    -- why it was skipped, or what it needs is not complete | 跳过或数据不完整的原因
    breaks integer not null,                        -- breaks found | 差异数
    acknowledged integer not null,                  -- breaks among them that somebody explained | 已确认的差异数
    differences_e8 text not null,                   -- JSON: sum of the absolute differences by currency, in 10^-8 | 各币种差异绝对值之和（JSON，10^-8）
    data_as_of text,                                -- up to when what it needs was read, UTC | 数据截至时间（UTC）
    primary key (reconciliation_id, account, check_id)
) strict;

-- Breaks that reconciliations found. | 核对发现的差异。
-- Each from when it was first found until it was no longer there. One that comes back is a new one.
create table breaks (
    break_id integer primary key,                   -- number of the break | 差异编号
    account text not null,                          -- account of the configuration | 配置中的账号
    check_id text not null,                         -- check that found it | 检查编号
    key text not null,                              -- what names it within its check and account | 差异标识
    severity text not null,                         -- error, warn or info | 级别
    customer_id text,                               -- customer it concerns | 客户ID
    expected text,                                  -- what should be there | 应有值
    actual text,                                    -- what is there | 实际值
    diff text,                                      -- actual less expected, where that is a number | 差额
    currency text,                                  -- currency of the amounts | 币种
    period text not null,                           -- billing month (UTC+8) it belongs to; '' = none | 账期（UTC+8）
    note text,                                      -- what else is known about it | 说明
    expected_e8 integer,                            -- expected amount, 10^-8 currency units | 应有金额（10^-8）
    actual_e8 integer,                              -- actual amount, 10^-8 currency units | 实际金额（10^-8）
    diff_e8 integer,                                -- difference of the amounts, 10^-8 currency units | 差额（10^-8）
    first_seen text not null,                       -- when a reconciliation first found it, UTC | 首次发现时间（UTC）
    last_seen text not null,                        -- when one last found it, UTC | 最近发现时间（UTC）
    resolved_at text                                -- when one no longer found it, UTC | 消除时间（UTC）
) strict;

create unique index breaks_that_are_open on breaks (account, check_id, key) where resolved_at is null;

-- Explanations of breaks. | 差异的确认说明。
-- One counts until it is over, is revoked, or the break shows other values than were explained.
create table acknowledgements (
    acknowledgement_id integer primary key,         -- number of the explanation | 确认编号
    break_id integer not null                       -- break that is explained | 差异编号
        references breaks (break_id),
    expected text,                                  -- what was expected when it was explained | 确认时的应有值
    actual text,                                    -- what was there when it was explained | 确认时的实际值
    acknowledged_by text not null,                  -- who explained it | 确认人
    because text not null,                          -- the explanation | 原因
    acknowledged_at text not null,                  -- when, UTC | 确认时间（UTC）
    valid_until text,                               -- last second it counts, UTC; null: for as long as the break lasts | 有效期至（UTC）
    revoked_by text,                                -- who took it back | 撤销人
    revoked_at text                                 -- when, UTC | 撤销时间（UTC）
) strict;

create index acknowledgements_by_break on acknowledgements (break_id);

-- Meanings of figures that are pinned by account. | 各账号已确定的口径。
-- Where the vendor's documents leave the meaning of a figure open: what an account's orders turned out to follow. From then on
-- an order that only fits another meaning is a break.
create table pinned_models (
    account text not null,                          -- account of the configuration | 配置中的账号
    question text not null,                         -- what was open, as view account_models names it | 待定问题
    model text not null,                            -- which meaning the orders follow | 采用的口径
    orders integer not null,                        -- orders that fitted this meaning only; none fitted only another | 仅符合该口径的订单数
    pinned_at text not null,                        -- when that was clear, UTC | 确定时间（UTC）
    primary key (account, question)
) strict;

-- Resources of a service, to tell services without resources.
create index resources_by_service on resources (account, service_type_code);

-- Readings that are not proven complete, among the many that are.
create index coverage_that_is_open on coverage (account, stream) where verdict <> 'complete';
