-- Orders as the order details show them: the head of each order's lines, members of combined orders included.
create table order_details (
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
    user_name text,                                 -- login name of the creator; a fixed Chinese phrase when Huawei created it
    pending_payment_end_time text,                  -- deadline for paying, UTC
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

create index order_details_by_parent on order_details (account, parent_order_id);

-- Discounts of an order as the order details show them.
create table order_detail_discounts (
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

-- Lines of orders.
create table order_lines (
    account text not null,                          -- account of the configuration
    order_line_item_id text not null,               -- order line
    requested_order_id text not null,               -- order the request asked for: the combined order, for its members' lines
    order_id text,                                  -- order of the line
    service_type_code text,                         -- cloud service type
    service_type_name text,                         -- its localised name
    product_id text,                                -- product
    product_spec_desc text,                         -- specification
    period_type integer,                            -- unit of the period
    period_num integer,                             -- number of periods; null on unsubscriptions
    effective_time text,                            -- start of service, UTC
    expire_time text,                               -- end of service, UTC; the last second is included
    subscription_num integer,                       -- quantity
    amount_after_discount_e8 integer,               -- price after discounts, coupons and cards not subtracted, 10^-8 currency units
    official_amount_e8 integer,                     -- list price, 10^-8 currency units
    flexipurchase_coupon_amount_e8 integer,         -- 现金券 part, 10^-8 currency units
    coupon_amount_e8 integer,                       -- 代金券 part, 10^-8 currency units
    stored_card_amount_e8 integer,                  -- stored-value card part, 10^-8 currency units
    commission_amount_e8 integer,                   -- handling fee, only on unsubscription orders, 10^-8 currency units
    consumed_amount_e8 integer,                     -- amount already consumed, only on unsubscription orders, 10^-8 currency units
    currency text,                                  -- CNY, USD, …
    category_code text,                             -- catalogue code
    product_owner_service text,                     -- service type that owns the product
    commercial_resource text,                       -- resource type the product is sold under
    base_product_id text,                           -- base product
    base_product_spec_desc text,                    -- its specification
    base_category_code text,                        -- its catalogue code
    base_product_owner_service text,                -- service type that owns it
    base_commercial_resource text,                  -- resource type it is sold under
    extra text,                                     -- JSON object with the fields the vendor's documents do not list
    asked_customer_id text,                         -- customer the request named; null when it named none
    role text not null,                             -- role of the credential: customer or partner
    first_seen_run integer not null references runs (run_id),
    last_changed_run integer not null references runs (run_id),
    last_seen_at text not null,                     -- when the vendor last showed the row, by its clock
    gone_since text,                                -- when it was found missing from a complete answer
    version integer not null default 1,             -- 1 when first stored, one more with each change
    primary key (account, order_line_item_id)
) strict;

create index order_lines_by_requested_order on order_lines (account, requested_order_id);

create index order_lines_by_order on order_lines (account, order_id);

-- Discounts of an order line.
create table order_line_discounts (
    account text not null,                          -- account of the configuration
    order_line_item_id text not null,               -- order line
    position integer not null,                      -- place in the list, from 0
    discount_type text,                             -- kind of discount
    discount_amount_e8 integer,                     -- amount taken off, 10^-8 currency units
    extra text,                                     -- JSON object with the fields the vendor's documents do not list
    first_seen_run integer not null references runs (run_id),
    last_changed_run integer not null references runs (run_id),
    last_seen_at text not null,                     -- when the vendor last showed the row, by its clock
    gone_since text,                                -- when it was found missing from a complete answer
    version integer not null default 1,             -- 1 when first stored, one more with each change
    primary key (account, order_line_item_id, position)
) strict;
