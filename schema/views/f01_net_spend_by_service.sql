-- F01: what was spent per month, by service. | 各月净支出，按云服务。
-- An order with lines of several services is counted in each of them.
create view f01_net_spend_by_service as
with
-- Running sums per month, currency and service; the last row has them all. Windows and no 'group by', because SQLite
-- takes a filter on the month down to the orders through the one and not through the other.
sums as (
    select
        account,
        month,
        currency,
        service_type_code,
        lead(order_id) over service is null as is_last,
        max(service_type_name) over service as name_in_orders,
        dense_rank() over service as orders,
        sum(iif(kind = 'purchase', amount_e8, 0)) over service as purchases_e8,
        sum(iif(kind = 'refund', amount_e8, 0)) over service as refunds_e8,
        sum(amount_e8) over service as net_e8,
        sum(amount_e8 + coupon_effect_e8) over service as net_of_coupons_e8
    from allocated_spend
    window service as (partition by account, month, currency, service_type_code order by order_id)
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
    on t.account = s.account and t.service_type_code = s.service_type_code and t.gone_since is null
where s.is_last;
