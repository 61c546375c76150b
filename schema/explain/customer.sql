-- Everything about one customer of a partner, or one that owns orders (:account, :id); the form is that of order.sql.

-- part: customer | record | Customer
select
    v.customer_id,
    v.customer,
    v.account_name,
    v.associated_on_utc8,
    v.association_type,
    v.association_type_en,
    v.association_type_zh,
    v.verified_status,
    v.verified_status_en,
    v.verified_status_zh,
    v.is_frozen,
    v.is_frozen_en,
    v.is_frozen_zh,
    v.customer_level,
    v.account_managers,
    c.version,
    c.first_seen_run,
    c.last_changed_run,
    c.last_seen_at,
    c.gone_since
from sub_customers as c
left join v_sub_customers as v on v.account = c.account and v.customer_id = c.customer_id
where c.account = :account and c.customer_id = :id;

-- part: orders | table | Its orders; what it spent is in f02_net_spend_by_customer
select count(*) as orders, sum(gone_since is not null) as gone, min(create_time) as first_created, max(create_time) as last_created
from orders
where account = :account and customer_id = :id
having count(*) > 0;

-- part: resources | table | Resources by state
select status, status_en, status_zh, count(*) as resources, min(expire_time_utc8) as next_expiry_utc8
from v_resources
where account = :account and customer_id = :id
group by status
order by status;

-- part: readings | table | Readings of its lists: what was asked, and what proves the answer
select stream, scope, verdict, expected, seen, requests, attempts, proof, started_at, read_at, run_id
from coverage
where account = :account and customer_id = :id
order by stream, read_at, scope;

-- part: queue | table | Still to be read for its orders
select stream, count(*) as orders, sum(attempts > 0) as failing, min(parent_time) as oldest, max(last_error) as last_error
from queue
where account = :account and customer_id = :id
group by stream
order by stream;

-- part: quarantine | table | Rows that name it and could not be decoded
select stream, scope, reason, first_run, last_run, last_seen_at, raw
from quarantine
where account = :account and instr(raw, :id) > 0
order by last_seen_at;
