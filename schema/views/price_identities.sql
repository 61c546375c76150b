-- Orders and the ways from list price and discounts to their price. | 非退款订单的官网价、折扣与成交价的关系。
-- Left open by the vendor's documents: whether vouchers that stand among the discounts (301, 302) lower the price, and
-- whether the amount of a fixed price (502, 901) is a reduction or the price itself. Of a combined trade only the
-- members are here.
create view price_identities as
with
-- Discounts by what they may mean. Looked up order by order and not grouped: a filter on the period would not reach the
-- orders through a grouping.
sums as (
    select
        o.account,
        o.order_id,
        o.customer_id,
        o.currency,
        o.period,
        o.official_amount_e8 as official_e8,
        o.amount_after_discount_e8 as amount_e8,
        (
            select count(*)
            from order_discounts as d
            where d.account = o.account and d.order_id = o.order_id and d.gone_since is null
        ) as discounts,
        (
            select count(*)
            from order_discounts as d
            where d.account = o.account and d.order_id = o.order_id and d.gone_since is null
                and d.discount_type in ('301', '302')
        ) as vouchers,
        (
            select count(*)
            from order_discounts as d
            where d.account = o.account and d.order_id = o.order_id and d.gone_since is null
                and d.discount_type in ('502', '901')
        ) as fixed_prices,
        (
            select count(*)
            from order_discounts as d
            where d.account = o.account and d.order_id = o.order_id and d.gone_since is null
                and d.discount_type in ('609', '610')
        ) as adjustments,
        (
            select coalesce(sum(d.discount_amount_e8), 0)
            from order_discounts as d
            where d.account = o.account and d.order_id = o.order_id and d.gone_since is null
        ) as all_e8,
        (
            select coalesce(sum(d.discount_amount_e8), 0)
            from order_discounts as d
            where d.account = o.account and d.order_id = o.order_id and d.gone_since is null
                and d.discount_type in ('301', '302')
        ) as vouchers_e8,
        (
            select coalesce(sum(d.discount_amount_e8), 0)
            from order_discounts as d
            where d.account = o.account and d.order_id = o.order_id and d.gone_since is null
                and d.discount_type in ('502', '901')
        ) as fixed_e8
    from checked_orders as o
    where o.kind is not 'refund'
        and o.not_counted_because is not 'combined trade: its members count'
        and o.official_amount_e8 is not null
        and o.amount_after_discount_e8 is not null
),
-- T1: a cent per discount compared.
allowed as (
    select
        *,
        all_e8 - vouchers_e8 - fixed_e8 as reductions_e8,
        1000000 * max(1, discounts) as tolerance_e8
    from sums
),
-- The four combinations of the two questions. A fixed price may stand after other reductions or include them.
fits as (
    select
        *,
        abs(official_e8 - all_e8 + vouchers_e8 - amount_e8) <= tolerance_e8 as is_reduced,
        abs(official_e8 - all_e8 - amount_e8) <= tolerance_e8 as is_reduced_by_vouchers,
        fixed_prices > 0 and (
            abs(fixed_e8 - amount_e8) <= tolerance_e8 or abs(fixed_e8 - reductions_e8 - amount_e8) <= tolerance_e8
        ) as is_fixed,
        fixed_prices > 0 and (
            abs(fixed_e8 - vouchers_e8 - amount_e8) <= tolerance_e8
            or abs(fixed_e8 - reductions_e8 - vouchers_e8 - amount_e8) <= tolerance_e8
        ) as is_fixed_with_vouchers
    from allowed
)
select
    account,
    order_id,
    customer_id,
    currency,
    period,
    discounts, -- discounts of the order | 折扣条数
    vouchers, -- discounts that are vouchers: types 301 and 302 | 促销代金券与现金券条数 | unit: none
    fixed_prices, -- discounts that are fixed prices: types 502 and 901 | 一口价条数
    adjustments, -- discounts by hand: types 609 and 610 | 人工调价条数
    official_e8, -- list price | 官网价 | unit: 10^-8 currency units
    amount_e8, -- price after discounts | 折后价 | unit: 10^-8 currency units
    vouchers_e8, -- sum of types 301 and 302 | 促销券合计 | unit: 10^-8 currency units
    fixed_e8, -- sum of types 502 and 901 | 一口价合计 | unit: 10^-8 currency units
    reductions_e8, -- sum of all other discounts | 其他折扣合计 | unit: 10^-8 currency units
    is_reduced or is_fixed as fits_vouchers_beside, -- 1: the price is before vouchers | 券不抵减价格
    is_reduced_by_vouchers or is_fixed_with_vouchers as fits_vouchers_inside, -- 1: the price is after vouchers | 券已抵减价格
    is_reduced or is_reduced_by_vouchers as fits_fixed_as_reduction, -- 1: a fixed price states what is taken off | 一口价为优惠额
    is_fixed or is_fixed_with_vouchers as fits_fixed_as_price, -- 1: a fixed price states the price | 一口价为成交价
    is_reduced or is_reduced_by_vouchers or is_fixed or is_fixed_with_vouchers as fits_any -- 1: one of the ways leads to the price | 符合任一口径
from fits;
