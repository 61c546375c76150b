-- Rows that could not be decoded and are what the vendor shows last, as far as is known. | 最近仍无法解析的行。
-- A row leaves this view when an
-- answer of that time or later shows it so that it can be stored, or when what it came with was read completely since without
-- it. All of them, and how they came, are in the table quarantine.
-- key is the row's, or the digest of its text when it has none; is_stored: an earlier answer showed it so that it could be
-- stored. first_second and last_second, UTC: when it was created; of a row that does not say, the window that was asked for;
-- null when neither is known, and always in streams that are not read by time.
create view undecoded_rows as
with
-- What SQLite cannot read as JSON has neither key nor time.
readable as materialized (
    select *, iif(json_valid(raw), raw, '{}') as fields
    from quarantine
),
named as materialized (
    select
        account,
        stream,
        scope,
        reason,
        raw,
        raw_sha256,
        last_seen_at,
        coalesce(
            fields ->> case stream
                when 'orders' then '$.order_id'
                when 'resources' then '$.resource_id'
                when 'service_types' then '$.service_type_code'
                when 'resource_types' then '$.resource_type_code'
                when 'sub_customers' then '$.customer_id'
            end,
            raw_sha256
        ) as key,
        coalesce(fields ->> '$.service_type_code', '') as service,
        iif(stream = 'orders', strftime('%Y-%m-%dT%H:%M:%SZ', fields ->> '$.create_time'), null) as created
    from readable
),
placed as materialized (
    select
        n.*,
        iif(created is null and scope like 'created %', substr(scope, 9, 20), created) as first_second,
        iif(
            created is null and scope like 'created %',
            strftime('%Y-%m-%dT%H:%M:%SZ', substr(scope, 30, 20), '-1 second'),
            created
        ) as last_second,
        case stream
            when 'orders' then (
                select t.last_seen_at from orders as t where t.account = n.account and t.order_id = n.key
            )
            when 'resources' then (
                select t.last_seen_at from resources as t where t.account = n.account and t.resource_id = n.key
            )
            when 'service_types' then (
                select t.last_seen_at from service_types as t where t.account = n.account and t.service_type_code = n.key
            )
            when 'resource_types' then (
                select t.last_seen_at from resource_types as t
                where t.account = n.account and t.resource_type_code = n.key and t.service_type_code = n.service
            )
            when 'sub_customers' then (
                select t.last_seen_at from sub_customers as t where t.account = n.account and t.customer_id = n.key
            )
        end as stored_at
    from named as n
)
select
    account,
    stream,
    scope, -- what was asked when the row came | 读取范围
    key, -- key of the row, or its digest when it has none | 行主键，无主键时为摘要
    reason,
    last_seen_at, -- when it was last received, UTC | 最近收到的时间（UTC）
    first_second, -- when it was created, or the first second that was asked for, UTC | 创建时间或查询窗口的起始秒（UTC）
    last_second, -- when it was created, or the last second that was asked for, UTC | 创建时间或查询窗口的结束秒（UTC）
    stored_at is not null as is_stored, -- 1: an earlier answer showed it so that it could be stored | 此前是否已成功写入：1 是，0 否
    raw_sha256,
    raw
from placed as p
where
    coalesce(stored_at, '') < last_seen_at
    -- A window that was read to its end since, and did not show it.
    and not exists (
        select 1
        from coverage as c
        where
            c.account = p.account and c.stream = p.stream and c.lane = 'created' and c.verdict = 'complete'
            and c.window_begin <= p.first_second and c.window_end > p.last_second
            and coalesce(c.started_at, c.read_at) > p.last_seen_at
    )
    -- What belongs to an order is never called complete with such a row.
    and not exists (
        select 1
        from coverage as c
        where
            c.account = p.account and c.stream = p.stream and c.scope = p.scope and c.parent_id is not null
            and c.verdict = 'complete' and coalesce(c.started_at, c.read_at) >= p.last_seen_at
    )
    -- It is not known in whose list it was: all of them were read since.
    and not (
        (p.scope = 'whole' or p.scope like 'slice %')
        and coalesce(
            (
                select min(iif(c.verdict = 'complete', coalesce(c.started_at, c.read_at), ''))
                from coverage as c
                where
                    c.account = p.account and c.stream = p.stream and c.scope = 'whole'
                    and c.customer_id not in (
                        select left_partner.customer_id
                        from sub_customers as left_partner
                        where left_partner.account = p.account and left_partner.gone_since is not null
                    )
            ),
            ''
        ) > p.last_seen_at
    );
