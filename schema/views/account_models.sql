-- What the vendor's documents leave open, and which answer the orders of each account support: one row per account, question
-- and model. only_this are the orders that tell the models apart and speak for this one. `bss-sync reconcile` pins a model
-- once 20 orders speak for it and none for another.
create view account_models as
with
-- Whether the amount of a refund order is after fee and consumption; orders without them fit both.
refund_amounts as (
    select account, 'net' as model, fits_net as fits, fits_net and not fits_gross as fits_only
    from refund_ties
    union all
    select account, 'gross', fits_gross, fits_gross and not fits_net
    from refund_ties
),
-- Whether an unsubscription states what was kept back; where nothing was, orders fit both.
refund_parts as (
    select account, 'stated' as model, fits_stated as fits, fits_stated and not fits_omitted as fits_only
    from refund_ties
    where order_type = 4
    union all
    select account, 'omitted', fits_omitted, fits_omitted and not fits_stated
    from refund_ties
    where order_type = 4
),
-- Whether vouchers among the discounts lower the price.
vouchers as (
    select
        account,
        'beside the price' as model,
        fits_vouchers_beside as fits,
        fits_vouchers_beside and not fits_vouchers_inside as fits_only
    from price_identities
    where vouchers > 0
    union all
    select account, 'inside the price', fits_vouchers_inside, fits_vouchers_inside and not fits_vouchers_beside
    from price_identities
    where vouchers > 0
),
-- Whether a fixed price is stated as reduction or as price.
fixed_prices as (
    select
        account,
        'reduction' as model,
        fits_fixed_as_reduction as fits,
        fits_fixed_as_reduction and not fits_fixed_as_price as fits_only
    from price_identities
    where fixed_prices > 0
    union all
    select account, 'price', fits_fixed_as_price, fits_fixed_as_price and not fits_fixed_as_reduction
    from price_identities
    where fixed_prices > 0
),
-- Whether completed refund orders have a time of payment, by their type.
refund_times as (
    select account, order_type, 'paid' as model, payment_time is not null as fits
    from checked_orders
    where kind = 'refund' and status = 5 and amount_after_discount_e8 <> 0
    union all
    select account, order_type, 'not paid', payment_time is null
    from checked_orders
    where kind = 'refund' and status = 5 and amount_after_discount_e8 <> 0
),
-- All questions alike.
answers as (
    select account, 'RC01' as question, model, fits, fits_only
    from refund_amounts
    union all
    select account, 'RC05', model, fits, fits_only
    from refund_parts
    union all
    select account, 'RC09 vouchers', model, fits, fits_only
    from vouchers
    union all
    select account, 'RC09 fixed prices', model, fits, fits_only
    from fixed_prices
    union all
    select account, 'RC12 type ' || order_type, model, fits, fits
    from refund_times
),
counts as (
    select account, question, model, count(*) as orders, sum(fits) as fitting, sum(fits_only) as only_this
    from answers
    group by account, question, model
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
