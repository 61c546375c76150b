-- Refunds by original order: where the money of an unsubscription or downgrade comes from.
create table refund_attributions (
    account text not null,                          -- account of the configuration
    refund_order_id text not null,                  -- unsubscription or downgrade order the request asked for
    id text not null,                               -- record
    amount_e8 integer,                              -- negative: refunded; positive: consumed or fee kept back; 10^-8 currency units
    measure_id integer,                             -- unit of the amount: 1 = currency main unit
    customer_id text,                               -- customer
    resource_type_code text,                        -- resource type
    service_type_code text,                         -- cloud service type
    resource_type_name text,                        -- localised name
    service_type_name text,                         -- localised name
    region_code text,                               -- region
    base_order_id text,                             -- original order: the purchase or one of the renewals
    extra text,                                     -- JSON object with the fields the vendor's documents do not list
    asked_customer_id text,                         -- customer the request named; null when it named none
    role text not null,                             -- role of the credential: customer or partner
    first_seen_run integer not null references runs (run_id),
    last_changed_run integer not null references runs (run_id),
    last_seen_at text not null,                     -- when the vendor last showed the row, by its clock
    gone_since text,                                -- when it was found missing from a complete answer
    version integer not null default 1,             -- 1 when first stored, one more with each change
    primary key (account, refund_order_id, id)
) strict;

create index refund_attributions_by_base_order on refund_attributions (account, base_order_id);
