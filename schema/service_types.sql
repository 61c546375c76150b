-- Catalogue of cloud service types.
create table service_types (
    account text not null,                          -- account of the configuration
    service_type_code text not null,                -- cloud service type
    service_type_name text,                         -- localised name
    abbreviation text,                              -- abbreviation
    extra text,                                     -- JSON object with the fields the vendor's documents do not list
    asked_customer_id text,                         -- customer the request named; null when it named none
    role text not null,                             -- role of the credential: customer or partner
    first_seen_run integer not null references runs (run_id),
    last_changed_run integer not null references runs (run_id),
    last_seen_at text not null,                     -- when the vendor last showed the row, by its clock
    gone_since text,                                -- when it was found missing from a complete answer
    version integer not null default 1,             -- 1 when first stored, one more with each change
    primary key (account, service_type_code)
) strict;
