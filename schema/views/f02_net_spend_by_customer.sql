-- F02: what each customer spent per month, and its rank. | 客户净支出排名。
-- A customer has a row in the months in which it has orders.
-- Shares need a positive total. A month before the account's first order is unknown, not zero.
create view f02_net_spend_by_customer as
with
-- Each order in its own month, and once more in those that are compared with it. The + keeps SQLite from looking for the
-- account instead of the month.
figures as (
    select
        account,
        month,
        currency,
        customer_id,
        1 as orders,
        iif(kind = 'purchase', coalesce(signed_amount_e8, 0), 0) as purchases_e8,
        iif(kind = 'refund', coalesce(signed_amount_e8, 0), 0) as refunds_e8,
        coalesce(signed_amount_e8, 0) as net_e8,
        coalesce(signed_amount_e8, 0) + coupon_effect_e8 as net_of_coupons_e8,
        0 as previous_net_e8,
        0 as last_year_net_e8
    from counted_orders
    union all
    select m.account, m.month, o.currency, o.customer_id, 0, 0, 0, 0, 0, coalesce(o.signed_amount_e8, 0), 0
    from order_months as m
    cross join counted_orders as o
        on +o.account = +m.account and o.month = strftime('%Y-%m', m.month || '-01', '-1 month')
    union all
    select m.account, m.month, o.currency, o.customer_id, 0, 0, 0, 0, 0, 0, coalesce(o.signed_amount_e8, 0)
    from order_months as m
    cross join counted_orders as o
        on +o.account = +m.account and o.month = strftime('%Y-%m', m.month || '-01', '-1 year')
),
-- One row per month, currency and customer that has orders in it. Windows and no 'group by', because a filter on the month
-- goes down to the orders through the one and not through the other.
sums as (
    select distinct
        account,
        month,
        currency,
        customer_id,
        sum(orders) over of_customer as orders,
        sum(purchases_e8) over of_customer as purchases_e8,
        sum(refunds_e8) over of_customer as refunds_e8,
        sum(net_e8) over of_customer as net_e8,
        sum(net_of_coupons_e8) over of_customer as net_of_coupons_e8,
        sum(previous_net_e8) over of_customer as previous_net_e8,
        sum(last_year_net_e8) over of_customer as last_year_net_e8
    from figures
    window of_customer as (partition by account, month, currency, customer_id)
),
-- The first month with any order of the account, which the index finds without reading the others.
beginnings as materialized (
    select
        a.account,
        (
            select o.month
            from counted_orders as o
            where +o.account = a.account and o.month > ''
            order by o.month
            limit 1
        ) as first_month
    from (select distinct account from order_months) as a
),
-- Place among the customers of the month; equal spend has equal rank.
ranked as (
    select
        s.*,
        b.first_month,
        rank() over (
            partition by s.account, s.month, s.currency
            order by s.net_e8 desc
        ) as rank,
        sum(s.net_e8) over (
            partition by s.account, s.month, s.currency
            order by s.net_e8 desc, s.customer_id
            rows between unbounded preceding and current row
        ) as cumulative_net_e8,
        sum(s.net_e8) over (partition by s.account, s.month, s.currency) as total_net_e8
    from sums as s
    inner join beginnings as b on b.account = s.account
    where s.orders > 0
),
-- Differences are exact, only ratios are rounded.
changes as (
    select
        r.*,
        iif(strftime('%Y-%m', month || '-01', '-1 month') < first_month, null, net_e8 - previous_net_e8)
            as change_to_previous_month_e8,
        iif(strftime('%Y-%m', month || '-01', '-1 year') < first_month, null, net_e8 - last_year_net_e8)
            as change_to_last_year_e8
    from ranked as r
)
select
    c.account,
    c.month,
    c.currency,
    c.rank, -- place among the customers of the month and currency | 当月同币种的客户排名
    c.customer_id,
    coalesce(nullif(n.customer, ''), nullif(n.account_name, ''), c.customer_id) as customer_name,
    c.orders,
    decimal(c.purchases_e8) as purchases,
    decimal(c.refunds_e8) as refunds,
    decimal(c.net_e8) as net,
    decimal(c.net_of_coupons_e8) as net_of_coupons,
    iif(c.total_net_e8 > 0, round(100.0 * c.net_e8 / c.total_net_e8, 2), null) as share_percent, -- part of the total | 占合计的比例 | unit: percent
    iif(c.total_net_e8 > 0, round(100.0 * c.cumulative_net_e8 / c.total_net_e8, 2), null)
        as cumulative_share_percent, -- part of this customer and those before it | 累计占比 | unit: percent
    decimal(c.change_to_previous_month_e8) as change_to_previous_month, -- change of net against the month before; null: unknown | 净支出环比变化，空表示未知
    decimal(c.change_to_last_year_e8) as change_to_last_year, -- change of net against the same month of the year before; null: unknown | 净支出同比变化，空表示未知
    c.purchases_e8,
    c.refunds_e8,
    c.net_e8,
    c.net_of_coupons_e8,
    c.change_to_previous_month_e8,
    c.change_to_last_year_e8
from changes as c
left join sub_customers as n
    on n.account = c.account and n.customer_id = c.customer_id and n.gone_since is null;
