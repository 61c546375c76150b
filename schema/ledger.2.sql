-- Two absences of an order are two in a row only when no answer showed it between them: the time of the last one tells,
-- a count does not.
alter table queue drop column absences;
alter table queue add column absent_at text;        -- last complete answer that should show the order itself and did not, UTC | 最近一次应有而未返回该订单的时间（UTC）
