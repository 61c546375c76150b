-- What tells whether a row that could not be decoded is stored by now: the table that it would have filled, and its key in it.

alter table quarantine add column record_table text; -- table it would have filled; null of what is read order by order | 本应写入的表，按订单读取的为空
alter table quarantine add column row_key text;     -- its key behind the account, a JSON list; null when it has none | 行主键（账号除外），JSON 数组
alter table quarantine add column created_at text;  -- when it was created, UTC, where rows are read by time | 创建时间（UTC），仅按时间读取的数据流

-- Rows of earlier programs. What SQLite cannot read as JSON has neither key nor time.
with
fields as (
    select
        rowid as id,
        stream,
        iif(json_valid(raw), raw, '{}') as fields
    from quarantine
),

keys as (
    select
        id,
        case stream
            when 'orders' then json_array(fields ->> '$.order_id')
            when 'resources' then json_array(fields ->> '$.resource_id')
            when 'service_types' then json_array(fields ->> '$.service_type_code')
            when 'resource_types'
                then json_array(fields ->> '$.resource_type_code', coalesce(fields ->> '$.service_type_code', ''))
            when 'sub_customers' then json_array(fields ->> '$.customer_id')
        end as row_key,
        iif(stream = 'orders', strftime('%Y-%m-%dT%H:%M:%SZ', fields ->> '$.create_time'), null) as created_at
    from fields
)

update quarantine
set
    record_table = stream,
    row_key = iif(k.row_key ->> 0 is null, null, k.row_key),
    created_at = k.created_at
from keys as k
where k.id = quarantine.rowid and k.row_key is not null;
