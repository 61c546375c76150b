-- Everything about one resource (:account, :id); the form is that of order.sql.

-- part: resource | record | Resource
select
    r.resource_id,
    r.id,
    r.resource_name,
    r.asked_customer_id as customer_id,
    r.service_type_code,
    r.service_type_name,
    r.resource_type_code,
    r.resource_type_name,
    r.resource_spec_code,
    r.product_spec_desc,
    r.region_code,
    r.project_id,
    r.enterprise_project_id,
    r.enterprise_project_name,
    r.is_main_resource,
    r.parent_resource_id,
    r.status,
    s.name_en as status_en,
    s.name_zh as status_zh,
    r.expire_policy,
    p.name_en as expire_policy_en,
    p.name_zh as expire_policy_zh,
    strftime('%Y-%m-%d %H:%M:%S', r.effective_time, '+8 hours') as effective_time_utc8,
    strftime('%Y-%m-%d %H:%M:%S', r.expire_time, '+8 hours') as expire_time_utc8,
    r.extra,
    r.role as read_as,
    r.version,
    r.first_seen_run,
    r.last_changed_run,
    r.last_seen_at,
    r.gone_since
from resources as r
left join code_names as s on s.domain = 'resource_status' and s.code = cast(r.status as text)
left join code_names as p on p.domain = 'expire_policy' and p.code = cast(r.expire_policy as text)
where r.account = :account and r.resource_id = :id;

-- part: attached | table | Attached to it
select resource_id, resource_name, resource_type_name, status, status_en, status_zh, expire_time_utc8
from v_resources
where account = :account and parent_resource_id = :id
order by resource_id;

-- part: orders | table | Orders that bought, renewed or changed it
with
-- First only these: a joined view would be made for all orders.
linked as materialized (
    select *
    from v_orders
    where
        account = :account
        and order_id in (select x.order_id from order_resources as x where x.account = :account and x.resource_id = :id)
)
select
    x.order_id, o.order_type, o.order_type_en, o.order_type_zh, o.status, o.status_en, o.status_zh, o.month, o.currency,
    o.signed_amount, o.counted_as, x.gone_since as link_gone_since
from order_resources as x
left join linked as o on o.account = x.account and o.order_id = x.order_id
where x.account = :account and x.resource_id = :id
order by o.event_time, x.order_id;

-- part: readings | table | Readings that could show it: what was asked, and what proves the answer
select
    stream, scope, customer_id, verdict, expected, seen, requests, attempts, proof, started_at, read_at, run_id
from coverage
where
    account = :account and stream = 'resources'
    and (
        scope in (
            select 'order ' || x.order_id
            from order_resources as x
            where x.account = :account and x.resource_id = :id
        )
        or (
            scope = 'whole'
            and customer_id in (
                '', (select r.asked_customer_id from resources as r where r.account = :account and r.resource_id = :id)
            )
        )
    )
order by stream, read_at, scope;

-- part: quarantine | table | Rows that name it and could not be decoded
select stream, scope, reason, first_run, last_run, last_seen_at, raw
from quarantine
where account = :account and instr(raw, :id) > 0
order by last_seen_at;
