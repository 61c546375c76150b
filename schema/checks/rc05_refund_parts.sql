-- RC05 refund parts | 退款扣留明细
-- severity: warn
-- tolerance: T1
-- needs: orders, refund_attributions
-- A break means that the report of fees and consumption will be wrong. | 差异说明手续费与已消费金额报表将不准确。
--
-- A completed unsubscription whose attributions keep back another amount than the order states as fee and consumption. An
-- order that states nothing may leave it out; once the model of the account is pinned, only as that model says. Other refund
-- orders are compared where they state something.
create view check_rc05_refund_parts as
with
judged as (
    select
        t.*,
        p.model
    from refund_ties as t
    left join pinned_models as p on p.account = t.account and p.question = 'RC05'
    where t.order_type = 4 or t.states_parts
),
found as (
    select
        account,
        customer_id,
        order_id as key,
        kept_e8 as expected_e8,
        stated_e8 as actual_e8,
        stated_e8 - kept_e8 as diff_e8,
        currency,
        period,
        case model
            when 'stated' then 'the account follows: fee and consumption are stated'
            when 'omitted' then 'the account follows: fee and consumption are not stated'
            else 'not known yet whether orders leave these parts out (view account_models)'
        end
        || iif(states_parts, '', '; the order states neither part')
        || iif(is_read_earlier, '; the order was read before its attributions changed', '') as note
    from judged
    where case model
            when 'stated' then not fits_stated
            when 'omitted' then not fits_omitted and (order_type = 4 or not fits_stated)
            else not fits_stated and not fits_omitted
        end
)
select
    x.account,
    'RC05' as check_id,
    'warn' as severity,
    x.customer_id,
    x.key,
    decimal(x.expected_e8) as expected,
    decimal(x.actual_e8) as actual,
    decimal(x.diff_e8) as diff,
    x.currency,
    x.period,
    (
        select b.first_seen
        from breaks as b
        where b.account = x.account and b.check_id = 'RC05' and b.key = x.key and b.resolved_at is null
    ) as first_seen,
    x.note,
    x.expected_e8,
    x.actual_e8,
    x.diff_e8
from found as x;
