-- Every order the vendor still shows, to be looked up by its id: the rows of classified_orders. | 华为云仍返回的全部订单，用于按订单ID查找，内容与 classified_orders 相同。
-- Purchases count when they are paid and not cancelled, refunds when they are completed. Trials (order type 13) belong
-- to neither by definition; they stay visible here, as does everything else that does not count, with the reason.
create view classified_orders_by_id as
with
-- Purchase or refund, and the sign that follows from it.
signed as (
    select
        o.*,
        -- A change keeps its own sign: an upgrade is positive, a downgrade negative.
        case
            when o.order_type in (4, 10) then 'refund'
            when o.order_type = 3 and o.amount_after_discount_e8 < 0 then 'refund'
            when o.order_type in (1, 2, 3, 11, 14, 15) then 'purchase'
        end as kind,
        -- The vendor does not say which sign refunds carry; here they are always negative.
        case
            when o.order_type in (4, 10) then -abs(o.amount_after_discount_e8)
            else o.amount_after_discount_e8
        end as signed_amount_e8,
        -- A combined trade contains the amounts of its members: only one of the two may count.
        exists (
            select 1
            from orders as member
            where member.account = o.account
                and member.parent_order_id = o.order_id
                and member.order_id <> o.order_id
                and member.gone_since is null
        ) as has_members
    from known_orders_by_id as o
    where o.gone_since is null
)
select
    account,
    order_id,
    parent_order_id,
    customer_id,
    coalesce(paying_agent_id, customer_id) as payer,
    paying_agent_id is not null as is_paid_by_other,
    service_type_code,
    service_type_name,
    source_type,
    order_type,
    status,
    contract_id,
    kind,
    case
        when has_members then 'combined trade: its members count'
        when order_type = 13 then 'trial'
        when kind is null then 'order type is not known'
        when coalesce(measure_id, 1) <> 1 then 'amount is not in the main unit of its currency'
        when status = 4 then 'cancelled'
        when kind = 'refund' and status is not 5 then 'refund is not completed'
        when kind = 'purchase' and payment_time is null then 'not paid'
        when event_time is null then 'has no time'
    end as not_counted_because,
    create_time,
    payment_time,
    event_time,
    payment_time is null as event_time_is_estimated,
    month,
    currency,
    amount_after_discount_e8,
    official_amount_e8,
    signed_amount_e8,
    coupon_amount_e8,
    flexipurchase_coupon_amount_e8,
    stored_card_amount_e8,
    -- What 代金券 change in the spend: used on a purchase they lower it, given back by a refund they raise it again.
    case
        when kind = 'refund' then abs(coalesce(coupon_amount_e8, 0))
        else -coalesce(coupon_amount_e8, 0)
    end as coupon_effect_e8,
    coalesce(commission_amount_e8, 0) as commission_e8,
    coalesce(consumed_amount_e8, 0) as consumed_e8,
    trade_id,
    is_dated_by_trade,
    own_month,
    trade_month
from signed;
