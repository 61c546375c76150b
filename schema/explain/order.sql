-- Everything about one order (:account, :id): each part is a query of its own. Behind "-- part:" its name, how it is shown
-- ('record': one row, a line for each value; 'table') and its heading.

-- part: order | record | Order
select
    o.order_id,
    o.parent_order_id,
    o.customer_id,
    coalesce(nullif(n.customer, ''), nullif(n.account_name, '')) as customer_name,
    o.paying_agent_id as paid_by,
    o.service_type_code,
    o.service_type_name,
    o.order_type,
    t.name_en as order_type_en,
    t.name_zh as order_type_zh,
    o.status,
    s.name_en as status_en,
    s.name_zh as status_zh,
    o.source_type,
    f.name_en as source_type_en,
    f.name_zh as source_type_zh,
    o.contract_id,
    -- Looked up, because a joined view would be made for all orders first.
    (
        select iif(c.not_counted_because is null, c.kind, null)
        from classified_orders_by_id as c
        where c.account = o.account and c.order_id = o.order_id
    ) as counted_as,
    (
        select c.not_counted_because
        from classified_orders_by_id as c
        where c.account = o.account and c.order_id = o.order_id
    ) as not_counted_because,
    o.month,
    o.create_time,
    o.payment_time,
    strftime('%Y-%m-%d %H:%M:%S', o.event_time, '+8 hours') as event_time_utc8,
    o.currency,
    decimal(o.official_amount_e8) as official_amount,
    decimal(o.amount_after_discount_e8) as amount_after_discount,
    (
        select decimal(c.signed_amount_e8)
        from classified_orders_by_id as c
        where c.account = o.account and c.order_id = o.order_id
    ) as signed_amount,
    decimal(o.coupon_amount_e8) as coupon_amount,
    decimal(o.flexipurchase_coupon_amount_e8) as flexipurchase_coupon_amount,
    decimal(o.stored_card_amount_e8) as stored_card_amount,
    decimal(o.commission_amount_e8) as commission,
    decimal(o.consumed_amount_e8) as consumed,
    d.user_name as created_by,
    d.pending_payment_end_time,
    r.extra,
    r.role as read_as,
    r.asked_customer_id,
    r.version,
    r.first_seen_run,
    r.last_changed_run,
    r.last_seen_at,
    r.gone_since
from known_orders_by_id as o
inner join orders as r on r.account = o.account and r.order_id = o.order_id
left join order_details as d on d.account = o.account and d.order_id = o.order_id
left join sub_customers as n on n.account = o.account and n.customer_id = o.customer_id
left join code_names as t on t.domain = 'order_type' and t.code = cast(o.order_type as text)
left join code_names as s on s.domain = 'order_status' and s.code = cast(o.status as text)
left join code_names as f on f.domain = 'order_source' and f.code = cast(o.source_type as text)
where o.account = :account and o.order_id = :id;

-- part: members | table | Members of this combined order, which count instead of it
select order_id, service_type_name, status, status_en, status_zh, month, currency, signed_amount, counted_as, not_counted_because
from v_orders
where
    account = :account
    and order_id in (select o.order_id from orders as o where o.account = :account and o.parent_order_id = :id)
order by order_id;

-- part: lines | table | Lines
select
    l.order_line_item_id,
    coalesce(nullif(l.order_id, ''), l.requested_order_id) as order_id,
    l.service_type_name,
    l.product_spec_desc,
    l.period_num,
    l.period_type,
    p.name_en as period_type_en,
    p.name_zh as period_type_zh,
    l.subscription_num,
    strftime('%Y-%m-%d %H:%M:%S', l.effective_time, '+8 hours') as effective_time_utc8,
    strftime('%Y-%m-%d %H:%M:%S', l.expire_time, '+8 hours') as expire_time_utc8,
    l.currency,
    decimal(l.official_amount_e8) as official_amount,
    decimal(l.amount_after_discount_e8) as amount_after_discount,
    decimal(l.coupon_amount_e8) as coupon_amount,
    l.gone_since
from order_lines as l
left join code_names as p on p.domain = 'period_type' and p.code = cast(l.period_type as text)
where l.account = :account and (l.order_id = :id or l.requested_order_id = :id)
order by l.order_line_item_id;

-- part: discounts | table | Discounts (list, details and lines show the same ones)
with
-- Where each was read.
shown as (
    select 'list' as source, null as order_line_item_id, position, discount_type, discount_amount_e8, gone_since
    from order_discounts
    where account = :account and order_id = :id
    union all
    select 'details', null, position, discount_type, discount_amount_e8, gone_since
    from order_detail_discounts
    where account = :account and order_id = :id
    union all
    select 'line', d.order_line_item_id, d.position, d.discount_type, d.discount_amount_e8, d.gone_since
    from order_lines as l
    inner join order_line_discounts as d on d.account = l.account and d.order_line_item_id = l.order_line_item_id
    where l.account = :account and (l.order_id = :id or l.requested_order_id = :id)
)
select
    s.source,
    s.order_line_item_id,
    s.discount_type,
    t.name_en as discount_type_en,
    t.name_zh as discount_type_zh,
    decimal(s.discount_amount_e8) as amount,
    s.gone_since
from shown as s
left join code_names as t on t.domain = 'discount_type' and t.code = s.discount_type
order by s.source, s.order_line_item_id, s.position;

-- part: projects | table | Enterprise projects
select enterprise_project_id, enterprise_project_name, projects_of_order
from v_order_enterprise_projects
where account = :account and order_id = :id
order by position;

-- part: refunds | table | What this order refunds, by the order the money was once paid with
select
    a.id,
    a.base_order_id,
    -- Looked up, because a joined view would be made for all orders first.
    coalesce(
        (select b.month from known_orders_by_id as b where b.account = a.account and b.order_id = a.base_order_id),
        '(before history)'
    ) as original_month,
    a.service_type_name,
    a.resource_type_name,
    a.region_code,
    iif(a.amount_e8 > 0, 'consumed or fee kept back', 'refunded') as meaning_en,
    iif(a.amount_e8 > 0, '已消费金额或手续费', '退款金额') as meaning_zh,
    (
        select r.currency from known_orders_by_id as r where r.account = a.account and r.order_id = a.refund_order_id
    ) as currency,
    decimal(a.amount_e8) as amount,
    a.gone_since
from refund_attributions as a
where a.account = :account and a.refund_order_id = :id
order by a.base_order_id, a.id;

-- part: refunded_by | table | What of this order was refunded, and by which order
select
    a.refund_order_id,
    (
        select r.month from known_orders_by_id as r where r.account = a.account and r.order_id = a.refund_order_id
    ) as refund_month,
    a.id,
    a.service_type_name,
    a.resource_type_name,
    a.region_code,
    iif(a.amount_e8 > 0, 'consumed or fee kept back', 'refunded') as meaning_en,
    iif(a.amount_e8 > 0, '已消费金额或手续费', '退款金额') as meaning_zh,
    (
        select r.currency from known_orders_by_id as r where r.account = a.account and r.order_id = a.refund_order_id
    ) as currency,
    decimal(a.amount_e8) as amount,
    a.gone_since
from refund_attributions as a
where a.account = :account and a.base_order_id = :id
order by refund_month, a.refund_order_id, a.id;

-- part: resources | table | Resources it bought, renewed or changed
with
-- First only these: a joined view would be made for all resources.
linked as materialized (
    select *
    from v_resources
    where
        account = :account
        and resource_id in (select x.resource_id from order_resources as x where x.account = :account and x.order_id = :id)
)
select
    x.resource_id, r.resource_name, r.service_type_name, r.region_code, r.status, r.status_en, r.status_zh,
    r.expire_time_utc8, x.gone_since as link_gone_since
from order_resources as x
left join linked as r on r.account = x.account and r.resource_id = x.resource_id
where x.account = :account and x.order_id = :id
order by x.resource_id;

-- part: readings | table | Readings that show it: what was asked, and what proves the answer
with
-- The order, and the combined order that was asked for in its place.
asked as (
    select order_id, create_time, payment_time
    from orders
    where account = :account and order_id = :id
    union
    select p.order_id, p.create_time, p.payment_time
    from orders as o
    inner join orders as p on p.account = o.account and p.order_id = o.parent_order_id
    where o.account = :account and o.order_id = :id
),
-- Windows of creation and of payment time, and what was read for the order alone.
readings as (
    select c.*
    from asked as a
    inner join coverage as c
        on c.account = :account and c.stream = 'orders' and c.lane = 'created'
        and c.window_begin <= a.create_time and c.window_end > a.create_time
    union
    select c.*
    from asked as a
    inner join coverage as c
        on c.account = :account and c.stream = 'orders' and c.lane = 'paid'
        and c.window_begin <= a.payment_time and c.window_end > a.payment_time
    union
    select c.*
    from asked as a
    inner join coverage as c
        on c.account = :account
        and c.stream in ('orders', 'order_lines', 'refund_attributions', 'resources')
        and c.scope = 'order ' || a.order_id
)
select stream, scope, verdict, expected, seen, requests, attempts, proof, started_at, read_at, run_id
from readings
order by stream, read_at, scope;

-- part: late | table | It appeared after its time had been read completely
select create_time, found_at, run_id
from late_orders
where account = :account and order_id = :id;

-- part: queue | table | Still to be read for it
select stream, attempts, not_before, last_error, absent_at, enqueued_run, enqueued_at
from queue
where account = :account and parent_id = :id
order by stream;

-- part: quarantine | table | Rows that name it and could not be decoded
select stream, scope, reason, first_run, last_run, last_seen_at, raw
from quarantine
where account = :account and (instr(raw, :id) > 0 or instr(scope, :id) > 0)
order by last_seen_at;
