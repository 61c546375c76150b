-- RC21 expires without renewal | 即将到期未设自动续费
-- severity: info
-- tolerance: 30 days
-- needs: resources
-- A break means that a service will stop, or go on at the pay-per-use price. | 差异说明服务将停止或转为按需计费。
--
-- A main resource in use that expires within 30 days and is not renewed automatically. It belongs to the month of its expiry.
create view check_rc21_expires_without_renewal as
with
-- The accounts, so that the resources of each are found by their expiry.
accounts as (
    select distinct account
    from runs
),
found as (
    select
        r.account,
        nullif(r.asked_customer_id, '') as customer_id,
        r.resource_id || '/' || substr(r.expire_time, 1, 10) as key,
        'renewed automatically' as expected,
        coalesce(p.name_en, 'policy ' || coalesce(r.expire_policy, '(none)')) as actual,
        null as diff,
        null as currency,
        strftime('%Y-%m', r.expire_time, '+8 hours') as period,
        'expires ' || r.expire_time as note
    from accounts as a
    cross join resources as r on r.account = a.account
    left join code_names as p on p.domain = 'expire_policy' and p.code = cast(r.expire_policy as text)
    where r.gone_since is null
        and r.status = 2
        and coalesce(r.is_main_resource, coalesce(r.parent_resource_id, '') = '') = 1
        and r.expire_policy is not 3
        and r.expire_time > strftime('%Y-%m-%dT%H:%M:%SZ', 'now')
        and r.expire_time <= strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '+30 days')
)
select
    x.account,
    'RC21' as check_id,
    'info' as severity,
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
        where b.account = x.account and b.check_id = 'RC21' and b.key = x.key and b.resolved_at is null
    ) as first_seen,
    x.note,
    null as expected_e8,
    null as actual_e8,
    null as diff_e8
from found as x;
