-- The ledger: what was asked of the vendor, when, with which result, and what is still to do.
-- All times are UTC, yyyy-MM-ddTHH:mm:ssZ.

create table meta (
    key text primary key,
    value text not null
) strict;

-- One execution of one job for one account.
create table runs (
    run_id integer primary key,
    job text not null,
    account text not null,
    stream text not null,
    program_version text not null,
    started_at text not null,
    finished_at text,                               -- null while it runs, and after a crash
    outcome text not null default 'running'
        check (outcome in ('running', 'done', 'findings', 'partial', 'refused', 'failed', 'crashed')),
    reason text,                                    -- why the outcome is not 'done'
    requests integer not null default 0,            -- HTTP requests sent, refused and repeated ones included
    throttled integer not null default 0,           -- answers 429
    retried integer not null default 0,             -- requests repeated after a failure that was no 429
    pages integer not null default 0,               -- answers stored
    rows_received integer not null default 0,       -- rows in these answers
    rows_inserted integer not null default 0,       -- record rows that were new, child rows included
    rows_changed integer not null default 0,        -- record rows whose content changed
    orders_late integer not null default 0,         -- orders that appeared in time that had been read completely before
    rows_quarantined integer not null default 0     -- rows that could not be decoded
) strict;

create index runs_by_job on runs (account, job, run_id);

-- Everything before the watermark was read to the end; per account, stream and lane (the time field read).
create table watermarks (
    account text not null,
    stream text not null,
    lane text not null,                             -- 'created' or 'paid'; 'created from', 'paid from': where the lane
                                                    -- begins; 'sweep': when the last sweep began, 'sweep from': how far
                                                    -- back it reads
    watermark text not null,
    run_id integer not null references runs (run_id),
    primary key (account, stream, lane)
) strict;

-- Walks that are not finished: where the next run goes on. Written with the rows of each page.
create table checkpoints (
    account text not null,
    stream text not null,
    scope text not null,                            -- what is being read, e.g. 'created 2026-01-01T00:00:00Z/2026-02-01T00:00:00Z'
    customer_id text not null default '',           -- whose, when the request names a customer
    walk text not null,                             -- JSON: cursor, rows seen and expected so far
    run_id integer not null references runs (run_id),
    saved_at text not null,
    primary key (account, stream, scope, customer_id)
) strict;

-- Keys of the rows that an unfinished walk by offset has seen, page by page: a repeated one proves that rows moved.
create table checkpoint_pages (
    account text not null,
    stream text not null,
    scope text not null,
    customer_id text not null default '',
    page integer not null,                          -- number of the answer in its walk
    keys blob not null,                             -- 8 bytes for each row: the begin of the key's SHA-256
    primary key (account, stream, scope, customer_id, page)
) strict;

-- What was read to its end: one row per window, parent or whole list, renewed at each reading. A window's row is replaced
-- by that of a later reading that contains it.
create table coverage (
    account text not null,
    stream text not null,
    scope text not null,
    customer_id text not null default '',
    lane text,                                      -- time field of the window: 'created' or 'paid'; else null
    window_begin text,                              -- first second of the window; null for parents and whole lists
    window_end text,                                -- first second behind the window
    parent_id text,                                 -- order the records belong to
    expected integer,                               -- rows the vendor announced; null when it said nothing
    seen integer not null,                          -- rows received, repeated ones counted once
    rejected integer not null default 0,            -- rows among them that could not be decoded
    requests integer not null,                      -- answers it took
    attempts integer not null,                      -- walks it took
    verdict text not null check (verdict in ('complete', 'disputed')),
    proof text not null,                            -- what makes it complete, or why it is disputed
    run_id integer not null references runs (run_id),
    started_at text,                                -- when the first page of the walk was answered
    read_at text not null,                          -- when the last one was
    primary key (account, stream, scope, customer_id)
) strict;

create index coverage_by_window on coverage (account, stream, lane, window_begin);

-- Billing months (UTC+8) of creation time whose every second is in windows that were read completely and in none that is
-- disputed, and since when.
create table complete_months (
    account text not null,
    stream text not null,
    month text not null,                            -- yyyy-MM
    complete_since text not null,                   -- when its last window was stored, or its last dispute settled
    run_id integer not null references runs (run_id),
    primary key (account, stream, month)
) strict;

-- Orders that appeared in time that had been read completely before.
create table late_orders (
    account text not null,
    order_id text not null,
    create_time text not null,
    found_at text not null,                         -- when the vendor first showed it to us
    run_id integer not null references runs (run_id),
    primary key (account, order_id)
) strict;

-- Dependent records still to be read, each for one parent; newest parents first.
create table queue (
    account text not null,
    stream text not null,
    parent_id text not null,                        -- order to ask for
    customer_id text,                               -- owner of the order, which partners must name
    parent_time text not null default '',           -- when the order was created
    not_before text not null default '',            -- earliest time to read it; '' = now
    generation integer not null default 1,          -- grows with each new reason: an older reading does not settle it
    attempts integer not null default 0,
    absences integer not null default 0,            -- complete answers in a row that should show the order itself and did not
    last_error text,
    enqueued_run integer not null references runs (run_id),
    enqueued_at text not null,
    primary key (account, stream, parent_id)
) strict;

create index queue_newest_first on queue (account, stream, parent_time desc);

-- Fields and values the vendor sends that its documents do not list. The data itself is kept.
create table drift (
    account text not null,
    stream text not null,
    kind text not null check (kind in ('field', 'value', 'time')),
    field text not null,
    value text not null default '',
    first_run integer not null references runs (run_id),
    first_seen_at text not null,
    primary key (account, stream, kind, field, value)
) strict;

-- Rows that could not be decoded, as they came.
create table quarantine (
    account text not null,
    stream text not null,
    raw_sha256 text not null,
    scope text not null,                            -- what was asked when the row came
    reason text not null,
    raw text not null,
    first_run integer not null references runs (run_id),
    last_run integer not null references runs (run_id),
    last_seen_at text not null,
    primary key (account, stream, raw_sha256)
) strict;

-- Quotas learned from the vendor's refusals.
create table rate_state (
    account text not null,
    endpoint text not null,
    quota_calls integer not null,
    quota_period_s integer not null,
    learned_at text not null,
    primary key (account, endpoint)
) strict;
