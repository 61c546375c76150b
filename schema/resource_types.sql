-- Catalogue of resource types.
create table resource_types (
    account text not null,                          -- account of the configuration
    resource_type_code text not null,               -- resource type
    service_type_code text not null,                -- service type it belongs to; empty when the vendor names none
    resource_type_name text,                        -- localised name
    resource_type_desc text,                        -- localised description
    extra text,                                     -- JSON object with the fields the vendor's documents do not list
    asked_customer_id text,                         -- customer the request named; null when it named none
    role text not null,                             -- role of the credential: customer or partner
    first_seen_run integer not null references runs (run_id),
    last_changed_run integer not null references runs (run_id),
    last_seen_at text not null,                     -- when the vendor last showed the row, by its clock
    gone_since text,                                -- when it was found missing from a complete answer
    version integer not null default 1,             -- 1 when first stored, one more with each change
    primary key (account, resource_type_code, service_type_code)
) strict;
