-- F18: orders created in one month that count in another. | 截止性测试：创建月份与入账月份不同的订单。
-- A cross table of the month of creation and the month that counts, by purchase and refund. 'where is_cut_off = 1' are the
-- orders that crossed the end of a month; with the others the sums add up to those of F01. An order that is not paid yet
-- is in no month: F09 has it.
create view f18_cut_off as
with
-- Both months of each order; '(unknown)' when the vendor does not say when it was created.
months as (
    select
        account,
        order_id,
        kind,
        month,
        currency,
        coalesce(strftime('%Y-%m', create_time, '+8 hours'), '(unknown)') as created_month,
        coalesce(signed_amount_e8, 0) as amount_e8
    from counted_orders
),
-- One row per pair of months, currency and kind. Windows and no 'group by': see f01_net_spend_by_service.
sums as (
    select distinct
        account,
        created_month,
        month,
        currency,
        kind,
        count(*) over pair as orders,
        sum(amount_e8) over pair as amount_e8
    from months
    window pair as (partition by account, created_month, month, currency, kind)
)
select
    account,
    created_month,
    month,
    currency,
    kind, -- purchase or refund | 购买或退款
    iif(created_month = '(unknown)', null, created_month <> month) as is_cut_off, -- 1: created in another month than it counts in; null: unknown | 是否跨账期：1 是，0 否，空表示未知
    orders,
    decimal(amount_e8) as amount, -- sum of the signed amounts: refunds are negative | 带符号的优惠后金额合计，退款为负
    amount_e8
from sums;
