-- F06: what of the prepaid spend belongs to each month, by service; past months as they are, coming months as they are
-- planned. | 待摊费用/预付费用摊销表，按云服务。
-- The lines behind it, one by one: amortised_lines. expense is what the month bears: the months' parts of what was paid for
-- a term (amortisation), parts of earlier months that were paid late (catch_up), what has no term (expensed), and what
-- refunds leave (loss): the book value of what they end, less the money that came back. A negative loss is money back for
-- what was no longer in the books. Net spend of F01 = expense + change of the balance of F07.
create view f06_amortisation_schedule as
with
-- One row per month, currency and service. Windows and no 'group by': see f01_net_spend_by_service.
sums as (
    select distinct
        account,
        month,
        currency,
        service_type_code,
        sum(amortisation_e8) over service as amortisation_e8,
        sum(catch_up_e8) over service as catch_up_e8,
        sum(expensed_e8) over service as expensed_e8,
        sum(credited_e8) over service as credited_e8,
        sum(loss_e8) over service as loss_e8,
        sum(amortisation_e8 + catch_up_e8 + expensed_e8 + loss_e8) over service as expense_e8,
        sum(expense_net_of_coupons_e8) over service as expense_net_of_coupons_e8
    from amortised_lines
    window service as (partition by account, month, currency, service_type_code)
)
select
    s.account,
    s.month,
    s.currency,
    s.service_type_code,
    coalesce(nullif(t.service_type_name, ''), s.service_type_code) as service_name,
    decimal(s.amortisation_e8) as amortisation, -- parts of the month of what was paid for a term | 本月摊销额
    decimal(s.catch_up_e8) as catch_up, -- parts of earlier months that were paid in this one | 以前月份补摊额
    decimal(s.expensed_e8) as expensed, -- what has no term, in the month of payment | 一次性计入费用
    decimal(s.credited_e8) as credited, -- book value that refunds and downgrades ended | 退款冲减的待摊余额
    decimal(s.loss_e8) as loss, -- book value that refunds ended, less the money that came back | 退款损失（冲减余额减退款额）
    decimal(s.expense_e8) as expense, -- what the month bears: amortisation, catch_up, expensed and loss | 本月费用合计
    decimal(s.expense_net_of_coupons_e8) as expense_net_of_coupons, -- the same of what was paid without 代金券 | 扣除代金券后的本月费用
    s.amortisation_e8, -- parts of the month of what was paid for a term | 本月摊销额 | unit: 10^-8
    s.catch_up_e8, -- parts of earlier months that were paid in this one | 以前月份补摊额 | unit: 10^-8
    s.expensed_e8, -- what has no term, in the month of payment | 一次性计入费用 | unit: 10^-8
    s.credited_e8, -- book value that refunds and downgrades ended | 退款冲减的待摊余额 | unit: 10^-8
    s.loss_e8, -- book value that refunds ended, less the money that came back | 退款损失（冲减余额减退款额） | unit: 10^-8
    s.expense_e8, -- what the month bears: amortisation, catch_up, expensed and loss | 本月费用合计 | unit: 10^-8
    s.expense_net_of_coupons_e8 -- the same of what was paid without 代金券 | 扣除代金券后的本月费用 | unit: 10^-8
from sums as s
left join service_types as t
    on t.account = s.account and t.service_type_code = s.service_type_code and t.gone_since is null;
