-- RC18 resource without order | 资源缺少订单
-- severity: warn
-- tolerance: none
-- needs: orders, resources
-- A break means that the history of orders is shorter than the life of the resource. | 差异说明订单历史短于资源生命周期。
--
-- A resource in use, frozen or expired that no order is known for; an attached one counts with its main resource.
create view check_rc18_resource_without_order as
with
bare as (
    select
        r.account,
        nullif(r.asked_customer_id, '') as customer_id,
        r.resource_id,
        r.service_type_code,
        nullif(r.effective_time, '') as effective_time,
        (
            select w.watermark
            from watermarks as w
            where w.account = r.account and w.stream = 'orders' and w.lane = 'created from'
        ) as history_from
    from resources as r
    where r.gone_since is null
        and r.status in (2, 4, 5)
        and not exists (
            select 1
            from order_resources as l
            where l.account = r.account
                and l.resource_id in (r.resource_id, nullif(r.parent_resource_id, ''))
                and l.gone_since is null
        )
),
found as (
    select
        account,
        customer_id,
        resource_id as key,
        'an order' as expected,
        'none' as actual,
        null as diff,
        null as currency,
        '' as period,
        'service ' || coalesce(service_type_code, '(unknown)')
        || case
            when effective_time < history_from
                then '; in use since ' || effective_time || ', the loaded history begins ' || history_from
            else '; it may have been given by contract or moved between accounts'
        end as note
    from bare
)
select
    x.account,
    'RC18' as check_id,
    'warn' as severity,
    x.customer_id,
    x.key,
    x.expected,
    x.actual,
    x.diff,
    x.currency,
    x.period,
    (
        select b.first_seen
        from breaks as b
        where b.account = x.account and b.check_id = 'RC18' and b.key = x.key and b.resolved_at is null
    ) as first_seen,
    x.note,
    null as expected_e8,
    null as actual_e8,
    null as diff_e8
from found as x;
