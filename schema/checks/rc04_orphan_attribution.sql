-- RC04 orphan attribution | 退款归属无原订单
-- severity: warn
-- tolerance: none
-- needs: orders, refund_attributions
-- A break means that the history of orders is too short for this refund, or the original order is missing. | 差异说明订单历史范围过短，或缺少原订单。
--
-- An attribution whose original order is not named or not among the orders, with the likely reason. That order numbers
-- contain their date (CSyymmddhhmm…, UTC+8) is seen, not documented.
create view check_rc04_orphan_attribution as
with
orphans as (
    select
        o.account,
        coalesce(nullif(a.customer_id, ''), o.customer_id) as customer_id,
        o.customer_id as refund_customer_id,
        o.order_id || '/' || a.id as key,
        nullif(a.base_order_id, '') as base_order_id,
        -coalesce(a.amount_e8, 0) as amount_e8,
        o.currency,
        o.period,
        (
            select w.watermark
            from watermarks as w
            where w.account = o.account and w.stream = 'orders' and w.lane = 'created from'
        ) as history_from
    from checked_orders as o
    cross join refund_attributions as a
        on a.account = o.account and a.refund_order_id = o.order_id and a.gone_since is null
    where coalesce(a.base_order_id, '') = ''
        or not exists (
            select 1
            from orders as b
            where b.account = a.account and b.order_id = a.base_order_id
        )
),
found as (
    select
        account,
        customer_id,
        key,
        'a known original order' as expected,
        coalesce(base_order_id, '(none)') as actual,
        amount_e8 as diff_e8,
        currency,
        period,
        case
            when base_order_id is null then 'the vendor names no original order'
            when base_order_id glob 'CS[0-9][0-9][0-9][0-9][0-9][0-9]*'
                and strftime('%Y-%m-%d', history_from, '+8 hours')
                > printf('20%s-%s-%s', substr(base_order_id, 3, 2), substr(base_order_id, 5, 2), substr(base_order_id, 7, 2))
                then 'by its number it is older than the loaded history, which begins ' || history_from
            when customer_id <> refund_customer_id
                and not exists (
                    select 1
                    from sub_customers as s
                    where s.account = orphans.account and s.customer_id = orphans.customer_id and s.gone_since is null
                )
                then 'its customer is not in scope'
            else 'unknown; the loaded history begins ' || coalesce(history_from, 'nowhere yet')
        end as note
    from orphans
)
select
    x.account,
    'RC04' as check_id,
    'warn' as severity,
    x.customer_id,
    x.key,
    x.expected,
    x.actual,
    decimal(x.diff_e8) as diff,
    x.currency,
    x.period,
    (
        select b.first_seen
        from breaks as b
        where b.account = x.account and b.check_id = 'RC04' and b.key = x.key and b.resolved_at is null
    ) as first_seen,
    x.note,
    null as expected_e8,
    null as actual_e8,
    x.diff_e8
from found as x;
