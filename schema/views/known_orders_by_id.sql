-- Every order the warehouse ever saw, to be looked up by its id: the rows of known_orders. | 全部订单，用于按订单ID查找，内容与 known_orders 相同。
-- A member of a combined trade may leave any field out, and is then as its trade: paid, dated and owned with it. Amounts and
-- services are never taken from the trade, because the trade's contain those of all its members.
create view known_orders_by_id as
with
-- Empty texts are missing values.
filled as (
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
        p.order_id is not null
        and coalesce(o.payment_time, '') = ''
        and (coalesce(p.payment_time, '') <> '' or coalesce(o.create_time, '') = '') as is_dated_by_trade,
        -- Billing months are months of UTC+8. Written as in the index orders_by_month, to the letter.
        strftime('%Y-%m', ltrim(coalesce(nullif(o.payment_time, ''), nullif(o.create_time, '')), 'NnSs'), '+8 hours')
            as own_month,
        strftime('%Y-%m', ltrim(coalesce(nullif(p.payment_time, ''), nullif(p.create_time, '')), 'NnSs'), '+8 hours')
            as trade_month
    from orders as o
    left join orders as p on p.account = o.account and p.order_id = o.parent_order_id
)
select
    *,
    -- Never the time of reading: a month must not depend on when we looked.
    coalesce(payment_time, create_time) as event_time,
    iif(is_dated_by_trade, trade_month, own_month) as month
from filled;
