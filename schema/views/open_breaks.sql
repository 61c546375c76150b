-- Breaks that are still there, with whoever explained them. | 尚存的差异及其确认说明。
-- An explanation counts until it is over, is revoked, or the break shows other values than were explained.
create view open_breaks as
with
explained as (
    select
        b.break_id,
        max(a.acknowledgement_id) as acknowledgement_id
    from breaks as b
    inner join acknowledgements as a on a.break_id = b.break_id
    where b.resolved_at is null
        and a.revoked_at is null
        and coalesce(a.valid_until, '9999') >= strftime('%Y-%m-%dT%H:%M:%SZ', 'now')
        and a.expected is b.expected
        and a.actual is b.actual
    group by b.break_id
)
select
    b.account,
    b.check_id,
    c.name_en as check_en, -- name of the check | 检查名称（英文）
    c.name_zh as check_zh, -- name of the check in Chinese | 检查名称（中文）
    b.severity,
    b.customer_id,
    b.key,
    b.expected, -- what should be there: an amount or a text | 应有值：金额或文本 | unit: none
    b.actual, -- what is there: an amount or a text | 实际值：金额或文本 | unit: none
    b.diff,
    b.currency,
    b.period,
    b.note,
    b.first_seen,
    b.last_seen,
    e.acknowledgement_id is not null as is_acknowledged, -- 1: somebody explained it, and the explanation counts | 是否已确认
    a.acknowledged_by,
    a.because,
    a.acknowledged_at,
    a.valid_until,
    b.expected_e8, -- what should be there, when it is an amount | 应有金额
    b.actual_e8, -- what is there, when it is an amount | 实际金额
    b.diff_e8,
    b.break_id -- number of the break | 差异编号
from breaks as b
left join checks as c on c.id = b.check_id
left join explained as e on e.break_id = b.break_id
left join acknowledgements as a on a.acknowledgement_id = e.acknowledgement_id
where b.resolved_at is null;
