-- Reconciliations that evaluated every check of severity error for an account. | 已评估全部错误级检查的核对。
-- One that was limited to single checks is not among them, nor one in which a check lacked something it needs. What the role
-- of an account cannot read, or no job reads, is not required. Only what one of these covers was checked: without it, no
-- break means nothing.
create view full_reconciliations as
with
-- Checks of severity error that were evaluated, or need not be.
evaluated as (
    select o.account, o.reconciliation_id, count(*) as checks
    from reconciliation_outcomes as o
    inner join checks as c on c.id = o.check_id and c.severity = 'error'
    where o.reason is null or not o.is_required
    group by o.account, o.reconciliation_id
)
select
    e.account,
    e.reconciliation_id, -- number of the execution | 核对编号
    r.month, -- billing month (UTC+8) it was limited to; '' = everything | 账期（UTC+8），空表示全部
    r.started_at, -- when it began to read, UTC | 开始时间（UTC）
    r.finished_at -- when it stored what it found, UTC | 结束时间（UTC）
from evaluated as e
inner join reconciliations as r on r.reconciliation_id = e.reconciliation_id
where e.checks = (select count(*) from checks where severity = 'error');
