-- The ledger: what was asked of the vendor, when, with which result, and what is still to do.
-- All times are UTC, yyyy-MM-ddTHH:mm:ssZ.

-- What the program keeps about the file itself. | 文件自身的设置。
create table meta (
    key text primary key,                           -- name of the setting | 名称
    value text not null                             -- its value | 值
) strict;

-- One execution of one job for one account. | 一个任务对一个账号的一次运行。
create table runs (
    run_id integer primary key,                     -- number of the run | 运行编号
    job text not null,                              -- job of the configuration | 任务
    account text not null,                          -- account of the configuration | 配置中的账号
    stream text not null,                           -- what is read | 数据流
    program_version text not null,                  -- version of the program | 程序版本
    started_at text not null,                       -- when it began, UTC | 开始时间（UTC）
    finished_at text,                               -- when it ended, UTC; null while it runs, and after a crash | 结束时间（UTC），运行中或崩溃时为空
    outcome text not null default 'running'         -- how it ended: 'done', 'findings', 'partial', 'refused', 'failed', 'crashed', or 'running' | 运行结果
        check (outcome in ('running', 'done', 'findings', 'partial', 'refused', 'failed', 'crashed')),
    reason text,                                    -- why the outcome is not 'done' | 未正常完成的原因
    requests integer not null default 0,            -- HTTP requests sent, refused and repeated ones included | 发送的 HTTP 请求数（含被拒绝和重试）
    throttled integer not null default 0,           -- answers 429 | 被流控（429）的次数
    retried integer not null default 0,             -- requests repeated after a failure that was no 429 | 非流控失败后的重试次数
    pages integer not null default 0,               -- answers stored | 写入的应答页数
    rows_received integer not null default 0,       -- rows in these answers | 收到的行数
    rows_inserted integer not null default 0,       -- record rows that were new, child rows included | 新增行数（含子表）
    rows_changed integer not null default 0,        -- record rows whose content changed | 内容变化的行数
    orders_late integer not null default 0,         -- orders that appeared in time that had been read completely before | 迟到的订单数
    rows_quarantined integer not null default 0     -- rows that could not be decoded | 无法解析的行数
) strict;

create index runs_by_job on runs (account, job, run_id);

-- Everything before the watermark was read to the end; per account, stream and lane (the time field read). | 水位：按账号、数据流和时间字段，此前的数据均已读完。
create table watermarks (
    account text not null,                          -- account of the configuration | 配置中的账号
    stream text not null,                           -- what is read | 数据流
    lane text not null,                             -- 'created' or 'paid'; 'created from', 'paid from': where the lane
                                                    -- begins; 'sweep': when the last sweep began, 'sweep from': how far
                                                    -- back it reads | 时间字段：created 创建，paid 支付；… from 为起点，sweep 为重读
    watermark text not null,                        -- everything before it was read, UTC | 水位：此前的数据均已读取（UTC）
    run_id integer not null references runs (run_id), -- run that set it | 写入的运行编号
    primary key (account, stream, lane)
) strict;

-- Walks that are not finished: where the next run goes on. | 未完成的读取及其续读位置。
-- Written with the rows of each page.
create table checkpoints (
    account text not null,                          -- account of the configuration | 配置中的账号
    stream text not null,                           -- what is read | 数据流
    scope text not null,                            -- what is being read, e.g. 'created 2026-01-01T00:00:00Z/2026-02-01T00:00:00Z' | 读取范围
    customer_id text not null default '',           -- whose, when the request names a customer | 请求中指定的客户ID
    walk text not null,                             -- JSON: cursor, rows seen and expected so far | 读取进度（JSON）
    run_id integer not null references runs (run_id), -- run that saved it | 保存的运行编号
    saved_at text not null,                         -- when, UTC | 保存时间（UTC）
    primary key (account, stream, scope, customer_id)
) strict;

-- Keys of the rows that an unfinished walk by offset has seen, page by page: a repeated one proves that rows moved. | 未完成读取中各页的行主键摘要。
create table checkpoint_pages (
    account text not null,                          -- account of the configuration | 配置中的账号
    stream text not null,                           -- what is read | 数据流
    scope text not null,                            -- what is being read | 读取范围
    customer_id text not null default '',           -- whose, when the request names a customer | 请求中指定的客户ID
    page integer not null,                          -- number of the answer in its walk | 应答页序号
    keys blob not null,                             -- 8 bytes for each row: the begin of the key's SHA-256 | 各行主键摘要（SHA-256 前 8 字节）
    primary key (account, stream, scope, customer_id, page)
) strict;

-- What was read to its end: one row per window, parent or whole list, renewed at each reading. | 读取覆盖：每个时间窗口、订单或列表一行。
-- A window's row is replaced by that of a later reading that contains it.
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
    verdict text not null check (verdict in ('complete', 'disputed')), -- what the reading proves | 结论
    proof text not null,                            -- what makes it complete, or why it is disputed or refused | 完整性依据，或有争议、被拒绝的原因
    run_id integer not null references runs (run_id), -- run that read it | 读取的运行编号
    started_at text,                                -- when the first page of the walk was answered, UTC | 首页应答时间（UTC）
    read_at text not null,                          -- when the last one was, UTC | 末页应答时间（UTC）
    primary key (account, stream, scope, customer_id)
) strict;

create index coverage_by_window on coverage (account, stream, lane, window_begin);

-- Billing months (UTC+8) of creation time whose every second is in windows that were read completely and in none that is
-- disputed, and since when. | 每一秒都已完整读取且无争议的账期，及自何时起。
create table complete_months (
    account text not null,                          -- account of the configuration | 配置中的账号
    stream text not null,                           -- what was read | 数据流
    month text not null,                            -- billing month of creation (UTC+8), yyyy-MM | 创建时间的账期（UTC+8）
    complete_since text not null,                   -- when its last window was stored, or its last dispute settled, UTC | 自何时起完整（UTC）
    run_id integer not null references runs (run_id), -- run that found it so | 判定的运行编号
    primary key (account, stream, month)
) strict;

-- Orders that appeared in time that had been read completely before. | 迟到的订单：所属时间此前已完整读取。
create table late_orders (
    account text not null,                          -- account of the configuration | 配置中的账号
    order_id text not null,                         -- order | 订单ID
    create_time text not null,                      -- when it was created, UTC | 创建时间（UTC）
    found_at text not null,                         -- when the vendor first showed it to us, UTC | 首次出现的时间（UTC）
    run_id integer not null references runs (run_id), -- run that found it | 发现的运行编号
    primary key (account, order_id)
) strict;

-- Dependent records still to be read, each for one parent; newest parents first. | 待读取队列：按订单读取的明细。
create table queue (
    account text not null,                          -- account of the configuration | 配置中的账号
    stream text not null,                           -- what is to be read | 数据流
    parent_id text not null,                        -- order to ask for | 待查询的订单ID
    customer_id text,                               -- owner of the order, which partners must name | 订单所属客户ID（合作伙伴须指定）
    parent_time text not null default '',           -- when the order was created, UTC | 订单创建时间（UTC）
    not_before text not null default '',            -- earliest time to read it, UTC; '' = now | 最早读取时间（UTC），空表示立即
    generation integer not null default 1,          -- grows with each new reason: an older reading does not settle it | 入队代次
    attempts integer not null default 0,            -- tries in vain | 失败次数
    absences integer not null default 0,            -- complete answers in a row that should show the order itself and did not | 连续缺失的次数
    last_error text,                                -- why the last try was in vain | 最近一次失败的原因
    enqueued_run integer not null references runs (run_id), -- run that queued it | 入队的运行编号
    enqueued_at text not null,                      -- when, UTC | 入队时间（UTC）
    primary key (account, stream, parent_id)
) strict;

create index queue_newest_first on queue (account, stream, parent_time desc);

-- Fields and values the vendor sends that its documents do not list. | 文档未列出的字段和取值。
-- The data itself is kept.
create table drift (
    account text not null,                          -- account of the configuration | 配置中的账号
    stream text not null,                           -- what was read | 数据流
    kind text not null check (kind in ('field', 'value', 'time')), -- 'field', 'value' or 'time' | 类型：field 字段，value 取值，time 时间格式
    field text not null,                            -- table and field | 表和字段
    value text not null default '',                 -- the value, shortened; empty for fields | 取值（截断）
    first_run integer not null references runs (run_id), -- run that first saw it | 首次发现的运行编号
    first_seen_at text not null,                    -- when, UTC | 首次发现时间（UTC）
    primary key (account, stream, kind, field, value)
) strict;

-- Rows that could not be decoded, as they came. | 无法解析的原始行。
create table quarantine (
    account text not null,                          -- account of the configuration | 配置中的账号
    stream text not null,                           -- what was read | 数据流
    raw_sha256 text not null,                       -- digest of the row | 原始行摘要（SHA-256）
    scope text not null,                            -- what was asked when the row came | 读取范围
    reason text not null,                           -- why it could not be decoded | 无法解析的原因
    raw text not null,                              -- the row as it came, JSON | 原始行（JSON）
    first_run integer not null references runs (run_id), -- run that first received it | 首次收到的运行编号
    last_run integer not null references runs (run_id), -- run that last received it | 最近收到的运行编号
    last_seen_at text not null,                     -- when it was last received, UTC | 最近收到的时间（UTC）
    primary key (account, stream, raw_sha256)
) strict;

-- Quotas learned from the vendor's refusals. | 获知的流控配额。
create table rate_state (
    account text not null,                          -- account of the configuration | 配置中的账号
    endpoint text not null,                         -- interface of the vendor | 接口
    quota_calls integer not null,                   -- calls in a period | 每周期的调用次数
    quota_period_s integer not null,                -- length of the period | 周期长度 | unit: seconds
    learned_at text not null,                       -- when it was learned, UTC | 获知时间（UTC）
    primary key (account, endpoint)
) strict;
