-- Orders as the order list shows them, members of combined orders included. Count leaves only.
create table orders (
    account text not null,                          -- account of the configuration
    order_id text not null,                         -- order
    parent_order_id text,                           -- combined order this order is a member of
    customer_id text,                               -- customer that owns the order
    service_type_code text,                         -- cloud service type
    service_type_name text,                         -- its localised name
    source_type integer,                            -- origin of the order
    status integer,                                 -- order status
    order_type integer,                             -- order type
    amount_after_discount_e8 integer,               -- price after discounts, coupons and cards not subtracted, 10^-8 currency units
    official_amount_e8 integer,                     -- list price, 10^-8 currency units
    measure_id integer,                             -- unit of the amounts: 1 = currency main unit
    create_time text,                               -- UTC
    payment_time text,                              -- UTC; null or empty while unpaid
    currency text,                                  -- CNY, USD, …
    contract_id text,                               -- contract
    flexipurchase_coupon_amount_e8 integer,         -- 现金券 part, 10^-8 currency units
    coupon_amount_e8 integer,                       -- 代金券 part, 10^-8 currency units
    stored_card_amount_e8 integer,                  -- stored-value card part, 10^-8 currency units
    commission_amount_e8 integer,                   -- handling fee, only on unsubscription orders, 10^-8 currency units
    consumed_amount_e8 integer,                     -- amount already consumed, only on unsubscription orders, 10^-8 currency units
    paying_agent_id text,                           -- customer that pays on behalf of the owner
    is_agent_pay integer,                           -- 1: paid by somebody else
    extra text,                                     -- JSON object with the fields the vendor's documents do not list
    asked_customer_id text,                         -- customer the request named; null when it named none
    role text not null,                             -- role of the credential: customer or partner
    first_seen_run integer not null references runs (run_id),
    last_changed_run integer not null references runs (run_id),
    last_seen_at text not null,                     -- when the vendor last showed the row, by its clock
    gone_since text,                                -- when it was found missing from a complete answer
    version integer not null default 1,             -- 1 when first stored, one more with each change
    primary key (account, order_id)
) strict;

create index orders_by_create_time on orders (account, create_time);

-- What the list counts: no members of combined orders, nothing that is gone.
create index orders_of_the_list on orders (account, create_time) where parent_order_id is null and gone_since is null;

-- Orders that can still change: each run looks at them again.
create index orders_that_are_open on orders (account, create_time)
where parent_order_id is null and gone_since is null and (status is null or status not in (4, 5));

create index orders_by_payment_time on orders (account, payment_time);

create index orders_by_status on orders (account, status);

create index orders_by_parent on orders (account, parent_order_id);

-- Discounts of an order.
create table order_discounts (
    account text not null,                          -- account of the configuration
    order_id text not null,                         -- order
    position integer not null,                      -- place in the list, from 0
    discount_type text,                             -- kind of discount
    discount_amount_e8 integer,                     -- amount taken off, 10^-8 currency units
    extra text,                                     -- JSON object with the fields the vendor's documents do not list
    first_seen_run integer not null references runs (run_id),
    last_changed_run integer not null references runs (run_id),
    last_seen_at text not null,                     -- when the vendor last showed the row, by its clock
    gone_since text,                                -- when it was found missing from a complete answer
    version integer not null default 1,             -- 1 when first stored, one more with each change
    primary key (account, order_id, position)
) strict;

-- Enterprise projects of an order; no amounts are attributed to them.
create table order_enterprise_projects (
    account text not null,                          -- account of the configuration
    order_id text not null,                         -- order
    position integer not null,                      -- place in the list, from 0
    enterprise_project_id text,                     -- enterprise project; 0 is the default project
    enterprise_project_name text,                   -- its name
    extra text,                                     -- JSON object with the fields the vendor's documents do not list
    first_seen_run integer not null references runs (run_id),
    last_changed_run integer not null references runs (run_id),
    last_seen_at text not null,                     -- when the vendor last showed the row, by its clock
    gone_since text,                                -- when it was found missing from a complete answer
    version integer not null default 1,             -- 1 when first stored, one more with each change
    primary key (account, order_id, position)
) strict;
