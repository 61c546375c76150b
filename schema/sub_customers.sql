-- Customers of a partner. Personal data: do not copy further than needed.
create table sub_customers (
    account text not null,                          -- account of the configuration
    customer_id text not null,                      -- customer
    customer text,                                  -- verified name
    account_name text,                              -- login name
    associated_on text,                             -- UTC
    association_type text,                          -- 1 advisory, 2 reselling on behalf (China), 3 resale (international)
    label text,                                     -- tag
    telephone text,                                 -- phone
    verified_status text,                           -- -1 not verified, 0 pending, 1 rejected, 2 verified
    country_code text,                              -- phone prefix
    customer_type integer,                          -- -1 none, 0 person, 1 enterprise
    is_frozen integer,                              -- 0 no, 1 account, 2 account and resources
    xaccount_id text,                               -- partner-side user
    xaccount_type text,                             -- platform
    customer_level text,                            -- V0 to V5
    email text,                                     -- e-mail
    extra text,                                     -- JSON object with the fields the vendor's documents do not list
    asked_customer_id text,                         -- customer the request named; null when it named none
    role text not null,                             -- role of the credential: customer or partner
    first_seen_run integer not null references runs (run_id),
    last_changed_run integer not null references runs (run_id),
    last_seen_at text not null,                     -- when the vendor last showed the row, by its clock
    gone_since text,                                -- when it was found missing from a complete answer
    version integer not null default 1,             -- 1 when first stored, one more with each change
    primary key (account, customer_id)
) strict;

-- Account managers of a partner's customers.
create table sub_customer_account_managers (
    account text not null,                          -- account of the configuration
    customer_id text not null,                      -- customer
    position integer not null,                      -- place in the list, from 0
    account_name text,                              -- login name of the account manager
    extra text,                                     -- JSON object with the fields the vendor's documents do not list
    first_seen_run integer not null references runs (run_id),
    last_changed_run integer not null references runs (run_id),
    last_seen_at text not null,                     -- when the vendor last showed the row, by its clock
    gone_since text,                                -- when it was found missing from a complete answer
    version integer not null default 1,             -- 1 when first stored, one more with each change
    primary key (account, customer_id, position)
) strict;
