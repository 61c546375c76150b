-- A warehouse of bench.orders orders in the eight years before the current month (UTC+8), made without dice: what the
-- number of an order leaves over decides what it is. Of each hundred: 8 refunds, one combined trade with two members,
-- cancelled, unpaid, trial and changed orders, 33 renewals, 50 purchases.
create temp table numbers as
with recursive
clock as (
    select
        unixepoch('now', '+8 hours', 'start of month', '-8 hours', '-8 years') as begins,
        unixepoch('now', '+8 hours', 'start of month', '-8 hours') as ends
),
counted (n) as (
    select 1
    union all
    select n + 1 from counted where n < (select orders from bench)
)
select
    n,
    n % 100 as class,
    printf('CS%016d', n) as order_id,
    begins + cast((ends - begins) * (n / (1.0 * (select orders + 1 from bench))) as integer) as created,
    -- Four hundred customers, some of them much larger than others.
    (n % 20) * (n / 100 % 20) as customer,
    n / 3 % 20 as service,
    1000000000 + n * 7919 % 100000 * 1000003 as amount_e8
from counted
join clock;

create temp table times as
select
    n,
    strftime('%Y-%m-%dT%H:%M:%SZ', created, 'unixepoch') as created,
    strftime('%Y-%m-%dT%H:%M:%SZ', created + n % 5000, 'unixepoch') as paid
from numbers;

create unique index temp.numbers_by_n on numbers (n);
create unique index temp.times_by_n on times (n);

insert into runs (run_id, job, account, stream, program_version, started_at, finished_at, outcome)
select
    key + 1, value, 'main', value, 'bench', strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-2 hours'),
    strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-1 hour'), 'done'
from json_each('["orders","order_lines","refund_attributions","resources","service_types","resource_types","sub_customers"]');

insert into service_types (account, service_type_code, service_type_name, role, first_seen_run, last_changed_run, last_seen_at)
select distinct 'main', 'hws.service.type.' || service, 'Service ' || service, 'partner', 5, 5, '2026-01-01T00:00:00Z'
from numbers;

insert into sub_customers (account, customer_id, customer, role, first_seen_run, last_changed_run, last_seen_at)
select distinct 'main', printf('%032x', customer), 'Customer ' || customer, 'partner', 7, 7, '2026-01-01T00:00:00Z'
from numbers;

insert into orders (
    account, order_id, parent_order_id, customer_id, service_type_code, service_type_name, source_type, status, order_type,
    amount_after_discount_e8, official_amount_e8, measure_id, create_time, payment_time, currency, coupon_amount_e8,
    flexipurchase_coupon_amount_e8, stored_card_amount_e8, commission_amount_e8, consumed_amount_e8, paying_agent_id,
    is_agent_pay, role, first_seen_run, last_changed_run, last_seen_at
)
select
    'main',
    order_id,
    -- The members of a trade stand right behind it.
    case class when 9 then printf('CS%016d', n - 1) when 10 then printf('CS%016d', n - 2) end,
    printf('%032x', customer),
    'hws.service.type.' || service,
    'Service ' || service,
    1,
    case
        when class = 11 then 4
        when class = 12 then iif(n > (select orders from bench) * 0.99, 6, 4)
        else 5
    end,
    case
        when class < 8 then 4
        when class = 13 then 13
        when class in (14, 15) then 3
        when class = 16 then 15
        when class between 17 and 49 then 2
        else 1
    end,
    case class when 8 then 3 when 15 then -1 when 13 then 0 else 1 end * amount_e8,
    case class when 8 then 3 when 15 then -1 when 13 then 0 else 1 end * amount_e8 + iif(class < 8, 0, 100000000),
    1,
    -- One member says nothing about time, or only when it was created; the other one all.
    iif(class = 9 and n / 100 % 2 = 0, null, times.created),
    iif(class in (9, 11, 12), null, times.paid),
    iif(customer % 10 = 0, 'USD', 'CNY'),
    iif(class >= 17 and n % 7 = 0, 100000000, 0),
    0,
    0,
    iif(class < 8, amount_e8 / 20, null),
    iif(class < 8, amount_e8 / 10, null),
    iif(n % 50 = 21, 'payer', null),
    n % 50 = 21,
    'partner',
    1,
    1,
    '2026-01-01T00:00:00Z'
from numbers
join times using (n);

insert into order_discounts (account, order_id, position, discount_type, discount_amount_e8, first_seen_run, last_changed_run, last_seen_at)
select 'main', order_id, 0, '605', 100000000, 1, 1, '2026-01-01T00:00:00Z'
from numbers
where class > 16;

insert into order_enterprise_projects (account, order_id, position, enterprise_project_id, enterprise_project_name, first_seen_run, last_changed_run, last_seen_at)
select 'main', order_id, value, 'project-' || (n + value) % 30, 'Project ' || (n + value) % 30, 1, 1, '2026-01-01T00:00:00Z'
from numbers
join json_each('[0,1]')
where iif(n % 40 = 1, value <= 1, value = 0) and n % 3 <> 0;

insert into order_details (
    account, order_id, customer_id, status, order_type, amount_after_discount_e8, official_amount_e8, measure_id, create_time,
    payment_time, currency, user_name, pending_payment_end_time, role, first_seen_run, last_changed_run, last_seen_at
)
select
    account, order_id, customer_id, status, order_type, amount_after_discount_e8, official_amount_e8, measure_id, create_time,
    payment_time, currency, 'ops', iif(status = 6, strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '+2 days'), null), role, 2, 2,
    last_seen_at
from orders;

-- Two lines an order; those of a trade are its members', and one in twenty does not say whose it is.
insert into order_lines (
    account, order_line_item_id, requested_order_id, order_id, service_type_code, service_type_name, product_id, period_type,
    period_num, effective_time, expire_time, subscription_num, amount_after_discount_e8, official_amount_e8, currency,
    coupon_amount_e8, commercial_resource, role, first_seen_run, last_changed_run, last_seen_at
)
select
    'main',
    order_id || '-' || value,
    case class when 9 then printf('CS%016d', n - 1) when 10 then printf('CS%016d', n - 2) else order_id end,
    iif(class not in (9, 10) and n % 20 = 3, null, order_id),
    'hws.service.type.' || iif(value = 0, service, (service + 1) % 20),
    'Service ' || iif(value = 0, service, (service + 1) % 20),
    'product-' || n % 100,
    iif(class < 8, null, 2),
    iif(class < 8, null, iif(n % 4 = 0, 12, 1)),
    times.paid,
    strftime('%Y-%m-%dT%H:%M:%SZ', times.paid, iif(n % 4 = 0, '+12 months', '+1 month')),
    1,
    iif(value = 0, amount_e8 - amount_e8 / 3, amount_e8 / 3) * iif(class = 15, -1, 1),
    iif(value = 0, amount_e8 - amount_e8 / 3 + 100000000, amount_e8 / 3) * iif(class = 15, -1, 1),
    iif(customer % 10 = 0, 'USD', 'CNY'),
    iif(value = 0 and class >= 17 and n % 7 = 0, 100000000, 0),
    'type-' || iif(value = 0, service, (service + 1) % 20),
    'partner',
    2,
    2,
    '2026-01-01T00:00:00Z'
from numbers
join times using (n)
join json_each('[0,1]')
where class not in (8, 13);

-- What a refund gives back comes from an order of the year before and is lowered by what was used; one in thirty names an
-- order from before the history.
insert into refund_attributions (
    account, refund_order_id, id, amount_e8, measure_id, customer_id, resource_type_code, service_type_code, region_code,
    base_order_id, role, first_seen_run, last_changed_run, last_seen_at
)
select
    'main',
    order_id,
    value,
    iif(value = 0, -amount_e8 - amount_e8 / 5, amount_e8 / 5),
    1,
    printf('%032x', customer),
    'type-' || service,
    'hws.service.type.' || service,
    'region-' || n % 5,
    -- An order of class 50 and more, and of the same customer: 20 and 400 divide the hundreds that lie between.
    iif(n % 30 = 1, 'CS0', printf('CS%016d', max(n + 60, 60) - 2000 * (1 + n % 40))),
    'partner',
    3,
    3,
    '2026-01-01T00:00:00Z'
from numbers
join json_each('[0,1]')
where class < 8;

-- Each purchase of a machine brings a resource, each third of them one that is attached; what was bought last year and since
-- is in use.
insert into resources (
    account, resource_id, id, resource_name, region_code, service_type_code, service_type_name, resource_type_code,
    parent_resource_id, is_main_resource, status, effective_time, expire_time, expire_policy, enterprise_project_id,
    asked_customer_id, role, first_seen_run, last_changed_run, last_seen_at
)
select
    'main',
    printf('%s-%016d', iif(value = 0, 'vm', 'disk'), n),
    n || '-' || value,
    'resource ' || n,
    'region-' || n % 5,
    'hws.service.type.' || iif(value = 0, service, (service + 1) % 20),
    'Service ' || iif(value = 0, service, (service + 1) % 20),
    'type-' || iif(value = 0, service, (service + 1) % 20),
    iif(value = 0, null, printf('vm-%016d', n)),
    value = 0,
    iif(n > (select orders from bench) * 0.75, 2, 3),
    times.paid,
    strftime('%Y-%m-%dT%H:%M:%SZ', times.paid, '+25 months'),
    n % 4,
    'project-' || n % 30,
    printf('%032x', customer),
    'partner',
    4,
    4,
    '2026-01-01T00:00:00Z'
from numbers
join times using (n)
join json_each('[0,1]')
where class >= 50 and (value = 0 or n % 3 = 0);

-- The purchase, and a renewal of the following years.
insert into order_resources (account, order_id, resource_id, role, first_seen_run, last_changed_run, last_seen_at)
select 'main', printf('CS%016d', cast(substr(resource_id, -16) as integer)), resource_id, 'partner', 4, 4, '2026-01-01T00:00:00Z'
from resources
union all
select 'main', order_id, printf('vm-%016d', n + 33 - 2000 * (1 + n % 40)), 'partner', 4, 4, '2026-01-01T00:00:00Z'
from numbers
where class between 17 and 49;

-- All of it was read: a window a day, whatever belongs to an order one by one.
insert into coverage (account, stream, scope, lane, window_begin, window_end, expected, seen, requests, attempts, verdict, proof, run_id, started_at, read_at)
with recursive days (day, lane) as (
    select unixepoch('now', '+8 hours', 'start of month', '-8 hours', '-8 years'), value from json_each('["created","paid"]')
    union all
    select day + 86400, lane from days where day + 86400 < unixepoch('now', '-1 hour')
)
select
    'main', 'orders', printf('%s %s/%s', lane, begins, ends), lane, begins, ends, 300, 300, 3, 1, 'complete', 'as announced', 1,
    strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), strftime('%Y-%m-%dT%H:%M:%SZ', 'now')
from (
    select
        lane,
        strftime('%Y-%m-%dT%H:%M:%SZ', day, 'unixepoch') as begins,
        strftime('%Y-%m-%dT%H:%M:%SZ', day + 86400, 'unixepoch') as ends
    from days
);

insert into coverage (account, stream, scope, parent_id, expected, seen, requests, attempts, verdict, proof, run_id, started_at, read_at)
select
    'main', value, 'order ' || order_id, order_id, 2, 2, 1, 1, 'complete', 'one page', 2,
    strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), strftime('%Y-%m-%dT%H:%M:%SZ', 'now')
from numbers
join json_each('["order_lines","refund_attributions","resources"]')
where case value
    when 'order_lines' then class not in (9, 10)
    when 'refund_attributions' then class < 8 or class in (14, 15)
    else class >= 17
end;

insert into coverage (account, stream, scope, customer_id, expected, seen, requests, attempts, verdict, proof, run_id, started_at, read_at)
select
    'main', 'resources', 'whole', customer_id, 1, 1, 1, 1, 'complete', 'as announced', 4,
    strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), strftime('%Y-%m-%dT%H:%M:%SZ', 'now')
from sub_customers
union all
select
    'main', value, 'whole', '', 1, 1, 1, 1, 'complete', 'as announced', 5, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'),
    strftime('%Y-%m-%dT%H:%M:%SZ', 'now')
from json_each('["service_types","resource_types","sub_customers"]');

insert into watermarks (account, stream, lane, watermark, run_id)
select
    'main', 'orders', value,
    iif(
        value like '% from',
        strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '+8 hours', 'start of month', '-8 hours', '-8 years'),
        strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-1 hour')
    ),
    1
from json_each('["created","paid","created from","paid from"]');

insert into complete_months (account, stream, month, complete_since, run_id)
select distinct 'main', 'orders', strftime('%Y-%m', created, '+8 hours'), strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), 1
from times;
