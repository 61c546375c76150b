-- What the last run learned about the size of pages, where it is not the documented one.
create table page_limits (
    account text not null,
    endpoint text not null,
    host text not null,                             -- whom it was learned from; another host has other limits
    documented integer not null,                    -- the documents' largest limit when it was learned
    most integer not null,                          -- the largest limit that the server accepts, as far as is known
    page_limit integer not null,                    -- rows that were asked for last
    learned_at text not null,
    program_version text not null,
    primary key (account, endpoint)
) strict;
