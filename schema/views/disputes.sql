-- What could not be proven complete, and why: windows of time, what belongs to one order, lists of a customer (or the whole
-- list). | 无法证明完整的读取及原因。
-- Each is read again by the next run, and leaves this view when a reading proves it. Times are UTC; months are
-- billing months (UTC+8) of the window's first and last second.
create view disputes as
select
    account,
    stream,
    case
        when lane = 'created' then 'orders created in a window of time'
        when lane = 'paid' then 'orders paid in a window of time'
        when parent_id is not null then 'what belongs to an order'
        when customer_id <> '' then 'list of a customer'
        else 'whole list'
    end as what, -- what was read | 读取内容
    scope,
    nullif(customer_id, '') as customer_id,
    parent_id as order_id, -- order whose records were read | 所读取记录的订单ID
    window_begin,
    window_end,
    strftime('%Y-%m', window_begin, '+8 hours') as first_month, -- billing month (UTC+8) of the window's first second | 窗口首秒的账期（UTC+8）
    strftime('%Y-%m', window_end, '-1 second', '+8 hours') as last_month, -- billing month (UTC+8) of its last second | 窗口末秒的账期（UTC+8）
    expected,
    seen,
    rejected,
    attempts,
    proof as reason, -- why it could not be proven | 无法证明的原因
    read_at,
    run_id
from coverage
where verdict = 'disputed';
