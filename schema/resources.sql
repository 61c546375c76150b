-- Yearly/monthly resources that were provisioned.
create table resources (
    account text not null,                          -- account of the configuration
    resource_id text not null,                      -- resource, as named at provisioning
    id text,                                        -- internal ID of the thing provisioned
    resource_name text,                             -- instance name
    region_code text,                               -- region
    service_type_code text,                         -- cloud service type
    resource_type_code text,                        -- resource type
    resource_type_name text,                        -- localised name
    service_type_name text,                         -- localised name
    resource_spec_code text,                        -- specification code
    project_id text,                                -- project
    product_id text,                                -- product
    parent_resource_id text,                        -- main resource of an attached one
    is_main_resource integer,                       -- 1: main, 0: attached
    status integer,                                 -- 2 in use, 3 closed, 4 frozen, 5 expired
    effective_time text,                            -- UTC
    expire_time text,                               -- UTC
    expire_policy integer,                          -- what happens at expiry; 3 = renewed automatically
    product_spec_desc text,                         -- specification
    spec_size text,                                 -- linear size, decimal text as it came
    spec_size_measure_id integer,                   -- unit of the size
    update_time text,                               -- last update, UTC
    enterprise_project_id text,                     -- enterprise project
    enterprise_project_name text,                   -- its name
    extra text,                                     -- JSON object with the fields the vendor's documents do not list
    asked_customer_id text,                         -- customer the request named; null when it named none
    role text not null,                             -- role of the credential: customer or partner
    first_seen_run integer not null references runs (run_id),
    last_changed_run integer not null references runs (run_id),
    last_seen_at text not null,                     -- when the vendor last showed the row, by its clock
    gone_since text,                                -- when it was found missing from a complete answer
    version integer not null default 1,             -- 1 when first stored, one more with each change
    primary key (account, resource_id)
) strict;

create index resources_by_expire_time on resources (account, expire_time);

create index resources_by_parent on resources (account, parent_resource_id);

-- Which resources an order bought, renewed or changed; known only from the request that named the order.
create table order_resources (
    account text not null,                          -- account of the configuration
    order_id text not null,                         -- order the request asked for
    resource_id text not null,                      -- resource in its answer
    extra text,                                     -- JSON object with the fields the vendor's documents do not list
    asked_customer_id text,                         -- customer the request named; null when it named none
    role text not null,                             -- role of the credential: customer or partner
    first_seen_run integer not null references runs (run_id),
    last_changed_run integer not null references runs (run_id),
    last_seen_at text not null,                     -- when the vendor last showed the row, by its clock
    gone_since text,                                -- when it was found missing from a complete answer
    version integer not null default 1,             -- 1 when first stored, one more with each change
    primary key (account, order_id, resource_id)
) strict;

create index order_resources_by_resource on order_resources (account, resource_id);
