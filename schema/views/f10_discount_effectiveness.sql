-- F10: what discounts saved on the purchases of a month, by service. | 折扣效果，按云服务。
-- Refunds are left out: their list price is their price. official adds up the list prices, purchases what was to be paid
-- after discounts (the purchases of F01). A purchase without a list price counts as one without a discount.
create view f10_discount_effectiveness as
with
-- Running sums per month, currency and service, as in f01_net_spend_by_service.
sums as (
    select
        account,
        month,
        currency,
        service_type_code,
        lead(order_id) over service is null as is_last,
        max(service_type_name) over service as name_in_orders,
        dense_rank() over service as orders,
        sum(official_e8) over service as official_e8,
        sum(amount_e8) over service as purchases_e8,
        sum(official_e8 - amount_e8) over service as saved_e8
    from allocated_spend
    where kind = 'purchase'
        -- 代金券 alone save nothing that a discount is for.
        and (amount_e8 <> 0 or official_e8 <> 0 or service_type_code <> '(not allocated)')
    window service as (partition by account, month, currency, service_type_code order by order_id)
)
select
    s.account,
    s.month,
    s.currency,
    s.service_type_code,
    coalesce(nullif(t.service_type_name, ''), s.name_in_orders, s.service_type_code) as service_name,
    s.orders,
    decimal(s.official_e8) as official, -- list price | 官网价
    decimal(s.purchases_e8) as purchases,
    decimal(s.saved_e8) as saved, -- list price less price | 节省金额
    -- Only the ratio is rounded; without a list price there is none.
    iif(s.official_e8 > 0, round(100.0 * s.saved_e8 / s.official_e8, 2), null) as discount_rate_percent, -- saved per list price | 折扣率 | unit: percent
    s.official_e8, -- list price | 官网价 | unit: 10^-8
    s.purchases_e8,
    s.saved_e8 -- list price less price | 节省金额 | unit: 10^-8
from sums as s
left join service_types as t
    on t.account = s.account and t.service_type_code = s.service_type_code and t.gone_since is null
where s.is_last;
