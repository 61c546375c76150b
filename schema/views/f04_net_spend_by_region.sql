-- F04: what was spent per month, by region. | 各月净支出，按区域。
-- Orders have no region. A purchase belongs to the region of its main resources, to '(several regions)' when they do not
-- agree, to '(not allocated)' when none is known; a refund to the regions of its attributions, and what these do not
-- explain to '(not allocated)'. Resources that were released since count: what was spent does not move with them.
create view f04_net_spend_by_region as
with
-- Where the main resources of each purchase are.
purchases as (
    select
        o.*,
        (
            select
                case count(distinct nullif(r.region_code, ''))
                    when 0 then '(not allocated)'
                    when 1 then max(nullif(r.region_code, ''))
                    else '(several regions)'
                end
            from order_resources as x
            inner join resources as r on r.account = x.account and r.resource_id = x.resource_id
            where x.account = o.account and x.order_id = o.order_id
                and iif(r.is_main_resource is null, coalesce(r.parent_resource_id, '') = '', r.is_main_resource = 1)
        ) as region_code
    from counted_orders as o
    where o.kind = 'purchase'
),
-- Refunds with what their attributions explain. Another unit than the main one would be a wrong sum.
refunds as (
    select
        o.*,
        (
            select coalesce(sum(a.amount_e8), 0)
            from refund_attributions as a
            where a.account = o.account and a.refund_order_id = o.order_id and a.gone_since is null
                and coalesce(a.measure_id, 1) = 1 and a.region_code <> ''
        ) as attributed_e8
    from counted_orders as o
    where o.kind = 'refund'
),
-- Purchases, attributions, and what these leave of their refunds. 代金券 that a refund gives back name no region.
members as (
    select
        account, order_id, kind, month, currency, region_code,
        coalesce(signed_amount_e8, 0) as amount_e8,
        coupon_effect_e8
    from purchases
    union all
    select o.account, o.order_id, o.kind, o.month, o.currency, a.region_code, coalesce(a.amount_e8, 0), 0
    from refunds as o
    inner join refund_attributions as a
        on a.account = o.account and a.refund_order_id = o.order_id and a.gone_since is null
        and coalesce(a.measure_id, 1) = 1 and a.region_code <> ''
    union all
    select
        account, order_id, kind, month, currency, '(not allocated)',
        coalesce(signed_amount_e8, 0) - attributed_e8,
        coupon_effect_e8
    from refunds
    where coalesce(signed_amount_e8, 0) <> attributed_e8 or coupon_effect_e8 <> 0
),
-- Running sums per month, currency and region; the last row has them all. Windows and no 'group by': see
-- f01_net_spend_by_service.
sums as (
    select
        account,
        month,
        currency,
        region_code,
        lead(order_id) over region is null as is_last,
        dense_rank() over region as orders,
        sum(iif(kind = 'purchase', amount_e8, 0)) over region as purchases_e8,
        sum(iif(kind = 'refund', amount_e8, 0)) over region as refunds_e8,
        sum(amount_e8) over region as net_e8,
        sum(amount_e8 + coupon_effect_e8) over region as net_of_coupons_e8
    from members
    window region as (partition by account, month, currency, region_code order by order_id)
)
select
    account,
    month,
    currency,
    region_code,
    orders,
    decimal(purchases_e8) as purchases,
    decimal(refunds_e8) as refunds,
    decimal(net_e8) as net,
    decimal(net_of_coupons_e8) as net_of_coupons,
    purchases_e8,
    refunds_e8,
    net_e8,
    net_of_coupons_e8
from sums
where is_last;
