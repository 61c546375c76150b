-- RC02 refund without attribution | 退款缺少归属
-- severity: error
-- tolerance: none
-- needs: orders, refund_attributions
-- A break means that the attributions of a refund were not read, or the vendor showed none. | 差异说明退款归属未读取成功，或厂商未返回归属。
--
-- A completed unsubscription with an amount and no attribution. Original orders are known for refunds made after May 2018
-- only. What waits in the queue to be read is no break: the check is inconclusive then. The attributions of a combined
-- trade may stand at the trade or at its members.
create view check_rc02_refund_without_attribution as
with
bare as (
    select o.*
    from checked_orders as o
    where o.order_type = 4
        and o.status = 5
        and o.amount_after_discount_e8 <> 0
        and (o.month is null or o.month > '2018-05')
        and o.not_counted_because is not 'combined trade: its members count'
        and not exists (
            select 1
            from refund_attributions as a
            where a.account = o.account and a.refund_order_id in (o.order_id, o.parent_order_id) and a.gone_since is null
        )
        and not exists (
            select 1
            from queue as q
            where q.account = o.account
                and q.stream = 'refund_attributions'
                and q.parent_id in (o.order_id, o.parent_order_id)
                and q.not_before <= strftime('%Y-%m-%dT%H:%M:%SZ', 'now')
        )
),
found as (
    select
        account,
        customer_id,
        order_id as key,
        abs(amount_after_discount_e8) as expected_e8,
        0 as actual_e8,
        -abs(amount_after_discount_e8) as diff_e8,
        currency,
        period,
        iif(
            exists (
                select 1
                from coverage as c
                where c.account = bare.account
                    and c.stream = 'refund_attributions'
                    and c.scope = 'order ' || bare.order_id
                    and c.verdict = 'complete'
            ),
            'the vendor was asked and showed none',
            'never read completely'
        ) as note
    from bare
)
select
    x.account,
    'RC02' as check_id,
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
        where b.account = x.account and b.check_id = 'RC02' and b.key = x.key and b.resolved_at is null
    ) as first_seen,
    x.note,
    x.expected_e8,
    x.actual_e8,
    x.diff_e8
from found as x;
