-- F02: what each customer spent per month, and its rank. | 客户净支出排名。
-- A customer has a row in the months in which it has orders.
-- Shares need a positive total. A month before the account's first order is unknown, not zero.
create view f02_net_spend_by_customer as
with
-- One row per month, currency and customer.
sums as (
    select
        account,
        month,
        currency,
        customer_id,
        count(*) as orders,
        sum(iif(kind = 'purchase', coalesce(signed_amount_e8, 0), 0)) as purchases_e8,
        sum(iif(kind = 'refund', coalesce(signed_amount_e8, 0), 0)) as refunds_e8,
        sum(coalesce(signed_amount_e8, 0)) as net_e8,
        sum(coalesce(signed_amount_e8, 0) + coupon_effect_e8) as net_of_coupons_e8
    from counted_orders
    group by account, month, currency, customer_id
),
-- The first month with any order of the account.
beginnings as (
    select account, min(month) as first_month
    from sums
    group by account
),
-- Place among the customers of the month; equal spend has equal rank.
ranked as (
    select
        s.*,
        b.first_month,
        strftime('%Y-%m', s.month || '-01', '-1 month') as previous_month,
        strftime('%Y-%m', s.month || '-01', '-1 year') as month_last_year,
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
),
-- With the figures of the month before and of the year before.
compared as (
    select
        r.*,
        iif(r.previous_month < r.first_month, null, coalesce(p.net_e8, 0)) as previous_net_e8,
        iif(r.month_last_year < r.first_month, null, coalesce(y.net_e8, 0)) as last_year_net_e8
    from ranked as r
    left join sums as p
        on p.account = r.account
        and p.month = r.previous_month
        and p.currency = r.currency
        and p.customer_id = r.customer_id
    left join sums as y
        on y.account = r.account
        and y.month = r.month_last_year
        and y.currency = r.currency
        and y.customer_id = r.customer_id
),
-- Differences are exact, only ratios are rounded.
changes as (
    select
        c.*,
        c.net_e8 - c.previous_net_e8 as change_to_previous_month_e8,
        c.net_e8 - c.last_year_net_e8 as change_to_last_year_e8
    from compared as c
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
