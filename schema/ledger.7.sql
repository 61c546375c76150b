-- What the last run learned about the quotas: the table rate_state of ledger.sql, made anew. What was learned from refusals
-- only is learned again within seconds.
drop table rate_state;

create table rate_state (
    account text not null,
    endpoint text not null,
    policy text not null,                           -- whose calls are counted together: 'api', 'user', 'app', 'ip', or ''
    host text not null,                             -- whom it was learned from; another host has other quotas
    quota_calls integer not null,
    quota_period_s integer not null,
    origin text not null,                           -- who told it: 'header', 'refusal', 'stored', 'published', 'configured', …
    margin_ppm integer not null,                    -- part of the quota's time that is left unused, in millionths
    depth_milli integer not null,                   -- calls that may be made up for after a delay, in thousandths
    recent text not null,                           -- calls in each thirtieth of a period up to the last call, latest first
    learned_at text not null,
    last_call_at text,
    last_refused_at text,
    program_version text not null,
    primary key (account, endpoint, policy)
) strict;
