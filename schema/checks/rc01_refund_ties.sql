-- RC01 refund ties | 退款金额核对
-- severity: error
-- tolerance: T1
-- needs: orders, refund_attributions
-- A break means that pages are missing, an attribution was lost, or a unit is wrong. | 差异说明分页缺失、归属丢失或计量单位有误。
--
-- A completed refund order whose amount is neither what its attributions give back after fee and consumption nor before;
-- once the model of the account is pinned, not by that model. By default the difference is shown to the former.
create view check_rc01_refund_ties as
with
judged as (
    select
        t.*,
        p.model
    from refund_ties as t
    left join pinned_models as p on p.account = t.account and p.question = 'RC01'
),
found as (
    select
        account,
        customer_id,
        order_id as key,
        iif(model = 'gross', back_e8, net_e8) as expected_e8,
        amount_e8 as actual_e8,
        amount_e8 - iif(model = 'gross', back_e8, net_e8) as diff_e8,
        currency,
        period,
        case model
            when 'net' then 'the account follows: amount after fee and consumption'
            when 'gross' then 'the account follows: amount before fee and consumption'
            else 'not known yet whether the amount is after or before fee and consumption (view account_models)'
        end
        || iif(model is not null and (fits_net or fits_gross), '; this order fits only the other model', '')
        || iif(order_type = 3, '; a change order may also contain a charge', '')
        || iif(is_read_earlier, '; the order was read before its attributions changed', '') as note
    from judged
    where case model when 'net' then not fits_net when 'gross' then not fits_gross else not fits_net and not fits_gross end
)
select
    x.account,
    'RC01' as check_id,
    'error' as severity,
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
        where b.account = x.account and b.check_id = 'RC01' and b.key = x.key and b.resolved_at is null
    ) as first_seen,
    x.note,
    x.expected_e8,
    x.actual_e8,
    x.diff_e8
from found as x;
