-- Completed refund orders, their attributions, and the meanings they fit. | 已完成的退款订单、其归属合计及相符的口径。
-- The order's amount may be what comes back after fee and consumption ('net') or before ('gross'), and its header may
-- state what was kept back or leave it out.
create view refund_ties as
with
-- What the attributions of each order add up to; negative ones are money back, positive ones were kept. Looked up order by
-- order and not grouped: a filter on the period would not reach the orders through a grouping.
sums as (
    select
        o.account,
        o.order_id,
        o.customer_id,
        o.order_type,
        o.currency,
        o.period,
        abs(o.amount_after_discount_e8) as amount_e8,
        r.commission_amount_e8 is not null or r.consumed_amount_e8 is not null as states_parts,
        coalesce(r.commission_amount_e8, 0) + coalesce(r.consumed_amount_e8, 0) as stated_e8,
        -- Read before an attribution that was read in another form earlier: the order may have moved as well.
        exists (
            select 1
            from refund_attributions as a
            where a.account = o.account
                and a.refund_order_id = o.order_id
                and a.gone_since is null
                and a.version > 1
                and a.last_seen_at > r.last_seen_at
        ) as is_read_earlier,
        (
            select count(*)
            from refund_attributions as a
            where a.account = o.account and a.refund_order_id = o.order_id and a.gone_since is null
        ) as attributions,
        (
            select -coalesce(sum(min(a.amount_e8, 0)), 0)
            from refund_attributions as a
            where a.account = o.account and a.refund_order_id = o.order_id and a.gone_since is null
        ) as back_e8,
        (
            select coalesce(sum(max(a.amount_e8, 0)), 0)
            from refund_attributions as a
            where a.account = o.account and a.refund_order_id = o.order_id and a.gone_since is null
        ) as kept_e8
    from checked_orders as o
    inner join orders as r on r.account = o.account and r.order_id = o.order_id
    where o.kind = 'refund'
        and o.status = 5
        and exists (
            select 1
            from refund_attributions as a
            where a.account = o.account and a.refund_order_id = o.order_id and a.gone_since is null
        )
)
select
    account,
    order_id,
    customer_id,
    order_type,
    currency,
    period,
    attributions, -- attributions of the refund order | 退款归属条数
    amount_e8, -- amount of the refund order without its sign | 退款订单金额（绝对值） | unit: 10^-8 currency units
    back_e8 - kept_e8 as net_e8, -- what comes back after fee and consumption, by the attributions | 归属净退款额 | unit: 10^-8 currency units
    back_e8, -- what comes back before fee and consumption, by the attributions | 归属退款总额 | unit: 10^-8 currency units
    kept_e8, -- what was kept back, by the attributions | 归属扣留金额 | unit: 10^-8 currency units
    stated_e8, -- fee and consumption as the order states them | 订单所列手续费与已消费金额 | unit: 10^-8 currency units
    states_parts, -- 1: the order states a fee or consumption, be it 0 | 订单是否列出手续费或已消费金额
    is_read_earlier, -- 1: the order was read before an attribution that changed | 订单读取早于归属变更
    -- T1: a cent per amount compared.
    abs(amount_e8 - back_e8 + kept_e8) <= 1000000 * attributions as fits_net, -- 1: the amount is after fee and consumption | 符合净额口径
    abs(amount_e8 - back_e8) <= 1000000 * attributions as fits_gross, -- 1: the amount is before fee and consumption | 符合总额口径
    abs(kept_e8 - stated_e8) <= 1000000 * attributions as fits_stated, -- 1: what the order states is what was kept back | 所列金额与扣留一致
    not states_parts as fits_omitted -- 1: the order states nothing of what was kept back | 订单未列出扣留金额
from sums;
