-- Every discount the vendor still shows, readable. | 全部折扣明细。
-- The source tells where it was read: in the order list, in the order's
-- details, or on one of its lines. The three show the same discounts, so only one of them may be added up.
create view v_order_discounts as
with
-- Discounts with their orders, which are joined to each source by itself: so a filter on the month reaches its discounts.
discounts as not materialized (
    select
        d.account,
        d.order_id,
        'list' as source,
        null as order_line_item_id,
        d.position,
        iif(o.not_counted_because is null, o.kind, null) as counted_as,
        o.month,
        o.currency,
        d.discount_type,
        d.discount_amount_e8
    from order_discounts as d
    inner join classified_orders as o on o.account = d.account and o.order_id = d.order_id
    where d.gone_since is null
    union all
    select
        d.account,
        d.order_id,
        'details',
        null,
        d.position,
        iif(o.not_counted_because is null, o.kind, null),
        o.month,
        coalesce(nullif(h.currency, ''), o.currency),
        d.discount_type,
        d.discount_amount_e8
    from order_detail_discounts as d
    inner join order_details as h
        on h.account = d.account and h.order_id = d.order_id and h.gone_since is null
    left join classified_orders as o on o.account = d.account and o.order_id = d.order_id
    where d.gone_since is null
    union all
    select
        d.account,
        coalesce(nullif(l.order_id, ''), l.requested_order_id),
        'line',
        d.order_line_item_id,
        d.position,
        iif(o.not_counted_because is null, o.kind, null),
        o.month,
        coalesce(nullif(l.currency, ''), o.currency),
        d.discount_type,
        d.discount_amount_e8
    from order_line_discounts as d
    inner join order_lines as l
        on l.account = d.account
        and l.order_line_item_id = d.order_line_item_id
        and l.gone_since is null
    left join classified_orders as o
        on o.account = l.account and o.order_id = cast(coalesce(nullif(l.order_id, ''), l.requested_order_id) as text)
    where d.gone_since is null
)
select
    d.account,
    d.order_id, -- order | 订单ID
    d.source, -- where it was read: 'list', 'details' or 'line' | 来源：list 订单列表，details 订单详情，line 订单项
    d.order_line_item_id,
    d.position,
    d.counted_as,
    d.month,
    d.discount_type,
    t.name_en as discount_type_en,
    t.name_zh as discount_type_zh,
    coalesce(d.currency, '(unknown)') as currency,
    decimal(d.discount_amount_e8) as amount, -- amount taken off | 折扣金额
    d.discount_amount_e8 as amount_e8
from discounts as d
left join code_names as t on t.domain = 'discount_type' and t.code = d.discount_type;
