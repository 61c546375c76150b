-- Every order the warehouse ever saw, gone ones included, with its missing values filled in. | 全部订单（含已消失的），缺失值已补全。
-- What is filled in from where: known_orders_by_id.
create view known_orders as
with
-- The two ways to a month, each with an index of its own: a filter on the month finds its orders in the one, and its
-- trades and their members in the other. Not materialized, because each branch reads what it needs by its index.
dated as not materialized (
    select *, own_month as found_in
    from known_orders_by_id
    where not is_dated_by_trade
    union all
    select *, trade_month
    from known_orders_by_id
    -- Says at once that there is a trade: SQLite may begin with it.
    where trade_id = parent_order_id and is_dated_by_trade
)
select
    account,
    order_id,
    parent_order_id,
    customer_id,
    paying_agent_id,
    service_type_code,
    service_type_name,
    source_type,
    order_type,
    status,
    measure_id,
    contract_id,
    create_time,
    payment_time,
    currency,
    amount_after_discount_e8,
    official_amount_e8,
    coupon_amount_e8,
    flexipurchase_coupon_amount_e8,
    stored_card_amount_e8,
    commission_amount_e8,
    consumed_amount_e8,
    gone_since,
    event_time,
    found_in as month
from dated;
