-- Rows that could not be decoded and are what the vendor shows last, as far as is known. | 最近仍无法解析的行。
-- A row leaves this view when an
-- answer of that time or later shows it so that it can be stored, or when what it came with was read completely since without
-- it. All of them, and how they came, are in the table quarantine.
-- key is the row's, or the digest of its text when it has none; is_stored: an earlier answer showed it so that it could be
-- stored. first_second and last_second, UTC: when it was created; of a row that does not say, the window that was asked for;
-- null when neither is known, and always in streams that are not read by time.
create view undecoded_rows as
with
placed as materialized (
    select
        q.*,
        coalesce(row_key ->> 0, raw_sha256) as key,
        iif(created_at is null and scope like 'created %', substr(scope, 9, 20), created_at) as first_second,
        iif(
            created_at is null and scope like 'created %',
            strftime('%Y-%m-%dT%H:%M:%SZ', substr(scope, 30, 20), '-1 second'),
            created_at
        ) as last_second,
        -- When the row of that key was last stored.
        stored_at(q) as stored_at
    from quarantine as q
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
