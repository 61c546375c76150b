-- F08: resources to be renewed in the month after the current one (UTC+8), and how much that is likely to cost. | 下月续费资源与预计金额。
create view f08_renewals_next_month as
select *
from renewals
where expire_month = strftime('%Y-%m', 'now', '+8 hours', 'start of month', '+1 month');
