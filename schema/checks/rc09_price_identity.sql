-- RC09 price identity | 价格构成核对
-- severity: warn
-- tolerance: T1
-- needs: orders
-- A break means that the list of discounts is incomplete, or the price was adjusted by hand. | 差异说明折扣列表不完整或价格被人工调整。
--
-- An order, not a refund, whose list price less its discounts is not its price, whether or not vouchers among the discounts
-- (301, 302) lower the price and whether fixed prices (502, 901) are stated as reduction or as price; once a model of the
-- account is pinned, by that one.
create view check_rc09_price_identity as
with
judged as (
    select
        i.*,
        v.model as voucher_model,
        f.model as fixed_model
    from price_identities as i
    left join pinned_models as v on v.account = i.account and v.question = 'RC09 vouchers'
    left join pinned_models as f on f.account = i.account and f.question = 'RC09 fixed prices'
),
found as (
    select
        account,
        customer_id,
        order_id as key,
        iif(fixed_model = 'price' and fixed_prices > 0, fixed_e8, official_e8 - reductions_e8 - fixed_e8)
        - iif(voucher_model = 'inside the price', vouchers_e8, 0) as expected_e8,
        amount_e8 as actual_e8,
        amount_e8
        - iif(fixed_model = 'price' and fixed_prices > 0, fixed_e8, official_e8 - reductions_e8 - fixed_e8)
        + iif(voucher_model = 'inside the price', vouchers_e8, 0) as diff_e8,
        currency,
        period,
        printf('%d discount(s)', discounts)
        || case
            when vouchers = 0 then ''
            when voucher_model is null then '; not known yet whether vouchers lower the price (view account_models)'
            else '; the account follows: vouchers are ' || voucher_model
        end
        || case
            when fixed_prices = 0 then ''
            when fixed_model is null then '; not known yet what a fixed price states (view account_models)'
            else '; the account follows: a fixed price states the ' || fixed_model
        end
        || iif(fits_any, '; this order fits only another model', '')
        || iif(adjustments > 0, '; the price was adjusted by hand (609, 610)', '') as note
    from judged
    where not fits_any
        or voucher_model = 'beside the price' and vouchers > 0 and not fits_vouchers_beside
        or voucher_model = 'inside the price' and vouchers > 0 and not fits_vouchers_inside
        or fixed_model = 'reduction' and fixed_prices > 0 and not fits_fixed_as_reduction
        or fixed_model = 'price' and fixed_prices > 0 and not fits_fixed_as_price
)
select
    x.account,
    'RC09' as check_id,
    'warn' as severity,
    x.customer_id,
    x.key,
    decimal(x.expected_e8) as expected,
    decimal(x.actual_e8) as actual,
    decimal(x.diff_e8) as diff,
    x.currency,
    x.period,
    (
        select b.first_seen
        from breaks as b
        where b.account = x.account and b.check_id = 'RC09' and b.key = x.key and b.resolved_at is null
    ) as first_seen,
    x.note,
    x.expected_e8,
    x.actual_e8,
    x.diff_e8
from found as x;
