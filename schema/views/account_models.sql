-- Open meanings of figures, and which ones the orders support. | 文档未明确的口径及各账号订单支持的口径。
-- One row per account, question and model. only_this are the orders that tell the models apart and speak for this one.
-- `bss-sync reconcile` pins a model once 20 orders speak for it and none for another.
create view account_models as
with
-- Whether the amount of a refund order is after fee and consumption, and whether an unsubscription states these.
refunds as materialized (
    select
        account,
        count(*) as orders,
        sum(fits_net) as net,
        sum(fits_net and not fits_gross) as net_only,
        sum(fits_gross) as gross,
        sum(fits_gross and not fits_net) as gross_only,
        sum(order_type = 4) as unsubscriptions,
        sum(order_type = 4 and fits_stated) as stated,
        sum(order_type = 4 and fits_stated and not fits_omitted) as stated_only,
        sum(order_type = 4 and fits_omitted) as omitted,
        sum(order_type = 4 and fits_omitted and not fits_stated) as omitted_only
    from refund_ties
    group by account
),
-- The few orders with such discounts, looked up one by one: most orders have none.
priced as materialized (
    select
        account,
        (
            select
                json_array(
                    i.vouchers > 0,
                    i.fits_vouchers_beside,
                    i.fits_vouchers_inside,
                    i.fixed_prices > 0,
                    i.fits_fixed_as_reduction,
                    i.fits_fixed_as_price
                )
            from price_identities as i
            where i.account = d.account and i.order_id = d.order_id
        ) as fits
    from (
        select distinct account, order_id
        from order_discounts
        where discount_type in ('301', '302', '502', '901') and gone_since is null
    ) as d
),
-- Whether vouchers among the discounts lower the price.
vouchers as materialized (
    select
        account,
        count(*) as orders,
        sum(fits ->> 1) as beside,
        sum(fits ->> 1 and not fits ->> 2) as beside_only,
        sum(fits ->> 2) as inside,
        sum(fits ->> 2 and not fits ->> 1) as inside_only
    from priced
    where fits ->> 0
    group by account
),
-- Whether a fixed price is stated as reduction or as price.
fixed_prices as materialized (
    select
        account,
        count(*) as orders,
        sum(fits ->> 4) as reduction,
        sum(fits ->> 4 and not fits ->> 5) as reduction_only,
        sum(fits ->> 5) as price,
        sum(fits ->> 5 and not fits ->> 4) as price_only
    from priced
    where fits ->> 3
    group by account
),
-- Whether completed refund orders have a time of payment, by their type.
refund_times as materialized (
    select account, order_type, count(*) as orders, sum(payment_time is not null) as paid
    from checked_orders
    where kind = 'refund' and status = 5 and amount_after_discount_e8 <> 0
    group by account, order_type
),
-- All questions alike.
counts as materialized (
    select account, 'RC01' as question, 'net' as model, orders, net as fitting, net_only as only_this
    from refunds
    union all
    select account, 'RC01', 'gross', orders, gross, gross_only
    from refunds
    union all
    select account, 'RC05', 'stated', unsubscriptions, stated, stated_only
    from refunds
    union all
    select account, 'RC05', 'omitted', unsubscriptions, omitted, omitted_only
    from refunds
    union all
    select account, 'RC09 vouchers', 'beside the price', orders, beside, beside_only
    from vouchers
    union all
    select account, 'RC09 vouchers', 'inside the price', orders, inside, inside_only
    from vouchers
    union all
    select account, 'RC09 fixed prices', 'reduction', orders, reduction, reduction_only
    from fixed_prices
    union all
    select account, 'RC09 fixed prices', 'price', orders, price, price_only
    from fixed_prices
    union all
    select account, 'RC12 type ' || order_type, 'paid', orders, paid, paid
    from refund_times
    union all
    select account, 'RC12 type ' || order_type, 'not paid', orders, orders - paid, orders - paid
    from refund_times
)
select
    c.account,
    c.question, -- what the documents leave open: check, and what of it | 待定问题
    c.model, -- possible answer | 可能的口径
    case
        when c.question = 'RC01' and c.model = 'net' then 'the amount of a refund order is after fee and consumption'
        when c.question = 'RC01' then 'the amount of a refund order is before fee and consumption'
        when c.question = 'RC05' and c.model = 'stated' then 'an unsubscription states fee and consumption'
        when c.question = 'RC05' then 'an unsubscription does not state fee and consumption'
        when c.model = 'beside the price' then 'vouchers among the discounts (301, 302) do not lower the price'
        when c.model = 'inside the price' then 'vouchers among the discounts (301, 302) lower the price'
        when c.model = 'reduction' then 'a fixed price (502, 901) states what is taken off the list price'
        when c.model = 'price' then 'a fixed price (502, 901) states the price'
        when c.model = 'paid' then 'completed refund orders have a time of payment'
        else 'completed refund orders have no time of payment'
    end as meaning_en, -- what the answer means | 口径说明（英文）
    case
        when c.question = 'RC01' and c.model = 'net' then '退款订单金额为扣除手续费与已消费后的金额'
        when c.question = 'RC01' then '退款订单金额为扣除手续费与已消费前的金额'
        when c.question = 'RC05' and c.model = 'stated' then '退订订单列出手续费与已消费金额'
        when c.question = 'RC05' then '退订订单不列出手续费与已消费金额'
        when c.model = 'beside the price' then '折扣列表中的促销券（301、302）不抵减价格'
        when c.model = 'inside the price' then '折扣列表中的促销券（301、302）抵减价格'
        when c.model = 'reduction' then '一口价（502、901）所列为优惠金额'
        when c.model = 'price' then '一口价（502、901）所列为成交价'
        when c.model = 'paid' then '已完成的退款订单有支付时间'
        else '已完成的退款订单没有支付时间'
    end as meaning_zh, -- what the answer means, in Chinese | 口径说明（中文）
    c.orders, -- orders that the question concerns | 相关订单数
    c.fitting, -- orders that this answer fits | 符合的订单数
    c.only_this, -- orders that this answer fits and no other does | 仅符合该口径的订单数
    c.only_this >= 20 and not exists (
        select 1
        from counts as other
        where other.account = c.account
            and other.question = c.question
            and other.model <> c.model
            and other.only_this > 0
    ) as is_clear, -- 1: the evidence is enough to pin this answer | 证据是否充分
    p.model is not null as is_pinned, -- 1: breaks are judged by this answer | 是否已确定
    p.pinned_at -- when it was pinned, UTC | 确定时间（UTC）
from counts as c
left join pinned_models as p on p.account = c.account and p.question = c.question and p.model = c.model;
