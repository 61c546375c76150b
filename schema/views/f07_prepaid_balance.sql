-- F07: what is paid and not amortised at the end of a month, and how it came there. | 期末待摊余额及其变动。
-- opening + additions - amortisation - refunds_credited = closing, to the last digit; amortisation includes what was caught
-- up. closing_within_12_months is what the schedule takes until 12 months later, the rest is due after that. Coming months
-- are planned ones: what is paid until now.
create view f07_prepaid_balance as
with
-- One row per month and currency. Windows and no 'group by': see f01_net_spend_by_service.
sums as (
    select distinct
        account,
        month,
        currency,
        sum(opening_e8) over month as opening_e8,
        sum(added_e8) over month as additions_e8,
        sum(amortisation_e8 + catch_up_e8) over month as amortisation_e8,
        sum(credited_e8) over month as refunds_credited_e8,
        sum(closing_e8) over month as closing_e8,
        sum(closing_within_year_e8) over month as closing_within_12_months_e8,
        sum(closing_e8 - closing_within_year_e8) over month as closing_after_12_months_e8
    from amortised_lines
    window month as (partition by account, month, currency)
)
select
    account,
    month,
    currency,
    decimal(opening_e8) as opening, -- prepaid balance at the begin of the month | 期初待摊余额
    decimal(additions_e8) as additions, -- what was paid for terms in the month | 本月新增
    decimal(amortisation_e8) as amortisation, -- parts of the month of what was paid for a term | 本月摊销额
    decimal(refunds_credited_e8) as refunds_credited, -- book value that refunds and downgrades ended | 退款冲减
    decimal(closing_e8) as closing, -- prepaid balance at the end of the month | 期末待摊余额
    decimal(closing_within_12_months_e8) as closing_within_12_months, -- of it amortised within 12 months after the month | 其中12个月内摊销
    decimal(closing_after_12_months_e8) as closing_after_12_months, -- of it amortised later | 其中12个月后摊销
    opening_e8, -- prepaid balance at the begin of the month | 期初待摊余额 | unit: 10^-8
    additions_e8, -- what was paid for terms in the month | 本月新增 | unit: 10^-8
    amortisation_e8, -- parts of the month of what was paid for a term | 本月摊销额 | unit: 10^-8
    refunds_credited_e8, -- book value that refunds and downgrades ended | 退款冲减 | unit: 10^-8
    closing_e8, -- prepaid balance at the end of the month | 期末待摊余额 | unit: 10^-8
    closing_within_12_months_e8, -- of it amortised within 12 months after the month | 其中12个月内摊销 | unit: 10^-8
    closing_after_12_months_e8 -- of it amortised later | 其中12个月后摊销 | unit: 10^-8
from sums;
