-- RC10 deductions fit | 抵扣金额合理性
-- severity: error
-- tolerance: T1
-- needs: orders
-- A break means that a coupon was counted twice. | 差异说明抵扣券被重复计算。
--
-- An order of which coupons and cards paid more than it cost, or a purchase with a negative one.
create view check_rc10_deductions_fit as
with
summed as (
    select
        account,
        customer_id,
        order_id,
        kind,
        currency,
        period,
        abs(amount_after_discount_e8) as amount_e8,
        coalesce(coupon_amount_e8, 0) + coalesce(flexipurchase_coupon_amount_e8, 0) + coalesce(stored_card_amount_e8, 0)
            as deducted_e8,
        min(
            coalesce(coupon_amount_e8, 0),
            coalesce(flexipurchase_coupon_amount_e8, 0),
            coalesce(stored_card_amount_e8, 0)
        ) as least_e8
    from checked_orders
),
found as (
    select
        account,
        customer_id,
        order_id as key,
        amount_e8 as expected_e8,
        deducted_e8 as actual_e8,
        deducted_e8 - amount_e8 as diff_e8,
        currency,
        period,
        'coupons and cards paid more than the order cost' as note
    from summed
    where deducted_e8 > amount_e8 + 3000000
    union all
    select
        account,
        customer_id,
        order_id || '/negative',
        0,
        least_e8,
        least_e8,
        currency,
        period,
        'a purchase with a negative deduction'
    from summed
    where least_e8 < 0 and kind = 'purchase'
)
select
    x.account,
    'RC10' as check_id,
    'error' as severity,
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
        where b.account = x.account and b.check_id = 'RC10' and b.key = x.key and b.resolved_at is null
    ) as first_seen,
    x.note,
    x.expected_e8,
    x.actual_e8,
    x.diff_e8
from found as x;
