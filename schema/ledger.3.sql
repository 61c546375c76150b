-- The table coverage of ledger.sql, made anew: a verdict more. Its rows stay; nothing is renamed, because that would fail
-- on views that read it.

create temp table kept_coverage as select * from coverage;

drop table coverage;

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
    verdict text not null                           -- 'refused': the vendor did not show a customer's list when it was
        check (verdict in ('complete', 'disputed', 'refused')),     -- last asked for
    proof text not null,                            -- what makes it complete, or why it is disputed or refused
    run_id integer not null references runs (run_id),
    started_at text,                                -- when the first page of the walk was answered
    read_at text not null,                          -- when the last one was
    primary key (account, stream, scope, customer_id)
) strict;

insert into coverage select * from kept_coverage;

drop table kept_coverage;

create index coverage_by_window on coverage (account, stream, lane, window_begin);
