-- F15: who paid for whom. | 代付订单：付款方与消费方。
-- 'where is_paid_by_other = 1' are the orders that somebody else paid. The others are there as well, paid by their own
-- customer, so that both views of the spend are one sum away: by payer and by customer_id, the consumer. Their grand
-- totals are equal, and are those of F01.
create view f15_spend_by_payer as
with
-- One row per month, currency, payer and consumer. Windows and no 'group by': see f01_net_spend_by_service.
sums as (
    select distinct
        account,
        month,
        currency,
        payer,
        customer_id,
        is_paid_by_other,
        count(*) over pair as orders,
        sum(iif(kind = 'purchase', coalesce(signed_amount_e8, 0), 0)) over pair as purchases_e8,
        sum(iif(kind = 'refund', coalesce(signed_amount_e8, 0), 0)) over pair as refunds_e8,
        sum(coalesce(signed_amount_e8, 0)) over pair as net_e8,
        sum(coalesce(signed_amount_e8, 0) + coupon_effect_e8) over pair as net_of_coupons_e8
    from counted_orders
    window pair as (partition by account, month, currency, payer, customer_id, is_paid_by_other)
)
select
    s.account,
    s.month,
    s.currency,
    s.payer,
    coalesce(nullif(p.customer, ''), nullif(p.account_name, ''), s.payer) as payer_name, -- verified name, else login name, else ID of the payer | 付款客户名称：实名，其次账号名，否则为客户ID
    s.customer_id,
    coalesce(nullif(c.customer, ''), nullif(c.account_name, ''), s.customer_id) as customer_name,
    s.is_paid_by_other,
    s.orders,
    decimal(s.purchases_e8) as purchases,
    decimal(s.refunds_e8) as refunds,
    decimal(s.net_e8) as net,
    decimal(s.net_of_coupons_e8) as net_of_coupons,
    s.purchases_e8,
    s.refunds_e8,
    s.net_e8,
    s.net_of_coupons_e8
from sums as s
left join sub_customers as p on p.account = s.account and p.customer_id = s.payer and p.gone_since is null
left join sub_customers as c on c.account = s.account and c.customer_id = s.customer_id and c.gone_since is null;
