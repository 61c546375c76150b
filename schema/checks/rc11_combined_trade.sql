-- RC11 combined trade | 组合交易核对
-- severity: error
-- tolerance: T1
-- needs: orders, order_lines
-- A break means that spend is doubled or halved. | 差异说明支出被重复计入或漏计。
--
-- A combined trade that is not the sum of its members, cancelled ones counted or left out; or a member that the list shows
-- as an order of its own, so that both would count.
create view check_rc11_combined_trade as
with
-- Members are looked up by their trade; the index is named because most orders have no parent: after 'analyze' the planner
-- takes it for useless.
trades as (
    select
        o.account,
        o.customer_id,
        o.order_id,
        o.currency,
        o.period,
        o.amount_after_discount_e8 as amount_e8,
        (
            select count(*)
            from orders as m indexed by orders_by_parent
            where m.account = o.account
                and m.parent_order_id = o.order_id
                and m.order_id <> o.order_id
                and m.gone_since is null
        ) as members,
        (
            select sum(coalesce(m.amount_after_discount_e8, 0))
            from orders as m indexed by orders_by_parent
            where m.account = o.account
                and m.parent_order_id = o.order_id
                and m.order_id <> o.order_id
                and m.gone_since is null
        ) as members_e8,
        (
            select sum(iif(coalesce(m.status, o.status) = 4, 0, coalesce(m.amount_after_discount_e8, 0)))
            from orders as m indexed by orders_by_parent
            where m.account = o.account
                and m.parent_order_id = o.order_id
                and m.order_id <> o.order_id
                and m.gone_since is null
        ) as not_cancelled_e8
    from checked_orders as o
    where o.not_counted_because = 'combined trade: its members count'
),
found as (
    select
        account,
        customer_id,
        order_id as key,
        members_e8 as expected_e8,
        coalesce(amount_e8, 0) as actual_e8,
        coalesce(amount_e8, 0) - members_e8 as diff_e8,
        currency,
        period,
        printf('%d member(s)', members) as note
    from trades
    where abs(coalesce(amount_e8, 0) - members_e8) > 1000000 * members
        and abs(coalesce(amount_e8, 0) - not_cancelled_e8) > 1000000 * members
    union all
    -- The details of its trade name it as member, the list does not.
    select
        o.account,
        o.customer_id,
        o.order_id || '/top-level',
        0,
        o.amount_after_discount_e8,
        o.amount_after_discount_e8,
        o.currency,
        o.period,
        'also a member of ' || d.parent_order_id
    from checked_orders as o
    cross join order_details as d on d.account = o.account and d.order_id = o.order_id and d.gone_since is null
    inner join orders as p on p.account = d.account and p.order_id = d.parent_order_id and p.gone_since is null
    where o.parent_order_id is null and d.parent_order_id <> o.order_id
)
select
    x.account,
    'RC11' as check_id,
    'error' as severity,
    x.customer_id,
    x.key,
    decimal(x.expected_e8) as expected,
    decimal(x.actual_e8) as actual,
    decimal(x.diff_e8) as diff,
    x.currency,
    x.period,
    (
        select b.first_seen
        from breaks as b
        where b.account = x.account and b.check_id = 'RC11' and b.key = x.key and b.resolved_at is null
    ) as first_seen,
    x.note,
    x.expected_e8,
    x.actual_e8,
    x.diff_e8
from found as x;
