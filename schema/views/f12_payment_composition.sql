-- F12: how the purchases of a month were paid. | 支付构成。
-- The four parts add up to the purchases of F01. cash_or_credit is what the other three leave, which is right when the
-- price is the one before coupons and cards, as the vendor's documents say.
create view f12_payment_composition as
with
-- One row per month and currency. Windows and no 'group by': see f01_net_spend_by_service.
sums as (
    select distinct
        account,
        month,
        currency,
        count(*) over month as orders,
        sum(coalesce(signed_amount_e8, 0)) over month as purchases_e8,
        sum(coalesce(coupon_amount_e8, 0)) over month as coupon_amount_e8,
        sum(coalesce(flexipurchase_coupon_amount_e8, 0)) over month as flexipurchase_coupon_amount_e8,
        sum(coalesce(stored_card_amount_e8, 0)) over month as stored_card_amount_e8
    from counted_orders
    where kind = 'purchase'
    window month as (partition by account, month, currency)
),
-- What is left for cash and credit.
parts as (
    select
        *,
        purchases_e8 - coupon_amount_e8 - flexipurchase_coupon_amount_e8 - stored_card_amount_e8
            as cash_or_credit_e8
    from sums
)
select
    account,
    month,
    currency,
    orders,
    decimal(purchases_e8) as purchases,
    decimal(coupon_amount_e8) as coupon_amount,
    decimal(flexipurchase_coupon_amount_e8) as flexipurchase_coupon_amount,
    decimal(stored_card_amount_e8) as stored_card_amount,
    decimal(cash_or_credit_e8) as cash_or_credit, -- what coupons and cards did not pay | 现金或信用额度支付部分
    purchases_e8,
    coupon_amount_e8,
    flexipurchase_coupon_amount_e8,
    stored_card_amount_e8,
    cash_or_credit_e8 -- what coupons and cards did not pay | 现金或信用额度支付部分 | unit: 10^-8
from parts;
