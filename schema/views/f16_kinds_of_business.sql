-- F16: what kind of business a month's spend was. | 订单类型构成。
-- Trials (order type 13) are business without spend: they are counted in 'trial', beside the orders that turned a trial
-- into a purchase, and their amounts are in no sum. So the sums add up to those of F01.
create view f16_kinds_of_business as
with
-- Kinds in finance's words.
kinds (kind_of_business, name_zh) as (
    values
        ('new', '新购'),
        ('renewal', '续费'),
        ('upgrade', '升配'),
        ('downgrade', '降配'),
        ('unsubscribe', '退订'),
        ('switch', '按需与包年/包月互转'),
        ('trial', '试用'),
        ('adjustment', '费用调整')
),
-- Each order with its kind. Trials count as business once they have a month and are not cancelled.
orders_of_kinds as (
    select
        account,
        order_id,
        month,
        currency,
        kind,
        case
            when order_type = 1 then 'new'
            when order_type = 2 then 'renewal'
            when order_type = 3 then iif(kind = 'refund', 'downgrade', 'upgrade')
            when order_type = 4 then 'unsubscribe'
            when order_type in (10, 11) then 'switch'
            when order_type in (13, 14) then 'trial'
            when order_type = 15 then 'adjustment'
        end as kind_of_business,
        not_counted_because is not null as is_without_spend,
        iif(not_counted_because is null, coalesce(signed_amount_e8, 0), 0) as amount_e8
    from classified_orders
    where not_counted_because is null
        or (not_counted_because = 'trial' and status is not 4 and month is not null)
),
-- One row per month, currency and kind. Windows and no 'group by': see f01_net_spend_by_service.
sums as (
    select distinct
        account,
        month,
        currency,
        kind_of_business,
        count(*) over kind as orders,
        sum(is_without_spend) over kind as orders_without_spend,
        sum(iif(kind = 'purchase', amount_e8, 0)) over kind as purchases_e8,
        sum(iif(kind = 'refund', amount_e8, 0)) over kind as refunds_e8,
        sum(amount_e8) over kind as net_e8
    from orders_of_kinds
    window kind as (partition by account, month, currency, kind_of_business)
)
select
    s.account,
    s.month,
    s.currency,
    s.kind_of_business, -- new, renewal, upgrade, downgrade, unsubscribe, switch, trial or adjustment | 业务类型
    k.name_zh as kind_of_business_zh,
    s.orders,
    s.orders_without_spend, -- trials among the orders | 其中试用订单数
    decimal(s.purchases_e8) as purchases,
    decimal(s.refunds_e8) as refunds,
    decimal(s.net_e8) as net,
    s.purchases_e8,
    s.refunds_e8,
    s.net_e8
from sums as s
left join kinds as k on k.kind_of_business = s.kind_of_business;
