-- Every order the warehouse ever saw, gone ones included, with its missing values filled in. | 全部订单（含已消失的），缺失值已补全。
-- A member of a combined trade may leave any field out, and is then as its trade: paid, dated and owned with it. Amounts and
-- services are never taken from the trade, because the trade's contain those of all its members.
create view known_orders as
with
-- Empty texts are missing values. Not materialized, because each branch below reads what it needs by an index.
filled as not materialized (
    select
        o.account,
        o.order_id,
        o.parent_order_id,
        coalesce(nullif(o.customer_id, ''), nullif(p.customer_id, ''), '(not allocated)') as customer_id,
        nullif(
            case
                when o.is_agent_pay = 1 then o.paying_agent_id
                when p.is_agent_pay = 1 then p.paying_agent_id
            end,
            ''
        ) as paying_agent_id,
        nullif(o.service_type_code, '') as service_type_code,
        nullif(o.service_type_name, '') as service_type_name,
        coalesce(o.source_type, p.source_type) as source_type,
        coalesce(o.order_type, p.order_type) as order_type,
        coalesce(o.status, p.status) as status,
        coalesce(o.measure_id, p.measure_id) as measure_id,
        coalesce(nullif(o.contract_id, ''), nullif(p.contract_id, '')) as contract_id,
        coalesce(nullif(o.create_time, ''), nullif(p.create_time, '')) as create_time,
        coalesce(nullif(o.payment_time, ''), nullif(p.payment_time, '')) as payment_time,
        coalesce(nullif(o.currency, ''), nullif(p.currency, ''), '(unknown)') as currency,
        o.amount_after_discount_e8,
        o.official_amount_e8,
        o.coupon_amount_e8,
        o.flexipurchase_coupon_amount_e8,
        o.stored_card_amount_e8,
        o.commission_amount_e8,
        o.consumed_amount_e8,
        o.gone_since,
        p.order_id as trade_id,
        -- A payment of the trade comes before the member's own creation.
        coalesce(o.payment_time, '') = ''
        and (coalesce(p.payment_time, '') <> '' or coalesce(o.create_time, '') = '') as is_dated_by_trade,
        -- Billing months are months of UTC+8. Written as in the index orders_by_month, to the letter.
        strftime('%Y-%m', ltrim(coalesce(nullif(o.payment_time, ''), nullif(o.create_time, '')), 'NnSs'), '+8 hours')
            as own_month,
        strftime('%Y-%m', ltrim(coalesce(nullif(p.payment_time, ''), nullif(p.create_time, '')), 'NnSs'), '+8 hours')
            as trade_month
    from orders as o
    left join orders as p on p.account = o.account and p.order_id = o.parent_order_id
),
-- The two ways to a month, each with an index of its own: a filter on the month finds its orders in the one, and its
-- trades and their members in the other.
dated as not materialized (
    select *, own_month as month
    from filled
    where trade_id is null or not is_dated_by_trade
    union all
    select *, trade_month
    from filled
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
    -- Never the time of reading: a month must not depend on when we looked.
    coalesce(payment_time, create_time) as event_time,
    month
from dated;
