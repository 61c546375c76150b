-- RC29 coverage | 数据覆盖
-- severity: error
-- tolerance: none
-- needs: orders
-- A break means that the month is not complete, and every other check of it inconclusive. | 差异说明该账期数据不完整，其他检查均无法得出结论。
--
-- What of a stream was never read successfully, or only before its month was final; see coverage_gaps, of which those that
-- are no fault yet are left out. Streams that were never read at all make the checks that need them skipped.
create view check_rc29_coverage as
with
found as (
    select
        account,
        customer_id,
        key,
        expected,
        actual,
        null as diff,
        null as currency,
        period,
        note
    from coverage_gaps
    where is_break
)
select
    x.account,
    'RC29' as check_id,
    'error' as severity,
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
        where b.account = x.account and b.check_id = 'RC29' and b.key = x.key and b.resolved_at is null
    ) as first_seen,
    x.note,
    null as expected_e8,
    null as actual_e8,
    null as diff_e8
from found as x;
