-- F01: what was spent per month, by service. An order with lines of several services is counted in each of them.
create view f01_net_spend_by_service as
with
-- One row per month, currency and service.
sums as (
    select
        account,
        month,
        currency,
        service_type_code,
        max(service_type_name) as name_in_orders,
        count(distinct order_id) as orders,
        sum(iif(kind = 'purchase', amount_e8, 0)) as purchases_e8,
        sum(iif(kind = 'refund', amount_e8, 0)) as refunds_e8,
        sum(amount_e8) as net_e8,
        sum(amount_e8 + coupon_effect_e8) as net_of_coupons_e8
    from allocated_spend
    group by account, month, currency, service_type_code
)
select
    s.account,
    s.month,
    s.currency,
    s.service_type_code,
    coalesce(nullif(t.service_type_name, ''), s.name_in_orders, s.service_type_code) as service_name,
    s.orders,
    decimal(s.purchases_e8) as purchases,
    decimal(s.refunds_e8) as refunds,
    decimal(s.net_e8) as net,
    decimal(s.net_of_coupons_e8) as net_of_coupons,
    s.purchases_e8,
    s.refunds_e8,
    s.net_e8,
    s.net_of_coupons_e8
from sums as s
left join service_types as t
    on t.account = s.account and t.service_type_code = s.service_type_code and t.gone_since is null;
