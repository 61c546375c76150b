-- A partner's customers the vendor still shows, readable. | 合作伙伴的客户明细。
-- Telephone and e-mail stay in the table: finance does not need
-- them.
create view v_sub_customers as
select
    c.account,
    c.customer_id,
    c.customer,
    c.account_name, -- login name of the customer | 客户账号名
    c.associated_on,
    strftime('%Y-%m-%d %H:%M:%S', c.associated_on, '+8 hours') as associated_on_utc8,
    c.association_type,
    a.name_en as association_type_en,
    a.name_zh as association_type_zh,
    c.label,
    c.verified_status,
    v.name_en as verified_status_en,
    v.name_zh as verified_status_zh,
    c.customer_type,
    t.name_en as customer_type_en,
    t.name_zh as customer_type_zh,
    c.is_frozen,
    f.name_en as is_frozen_en,
    f.name_zh as is_frozen_zh,
    c.customer_level,
    -- In the vendor's order.
    (
        select group_concat(account_name, '; ')
        from (
            select m.account_name
            from sub_customer_account_managers as m
            where m.account = c.account and m.customer_id = c.customer_id and m.gone_since is null
            order by m.position
        )
    ) as account_managers, -- login names of its account managers | 客户经理账号名
    c.last_seen_at
from sub_customers as c
left join code_names as a on a.domain = 'association_type' and a.code = c.association_type
left join code_names as v on v.domain = 'verified_status' and v.code = c.verified_status
left join code_names as t on t.domain = 'customer_type' and t.code = cast(c.customer_type as text)
left join code_names as f on f.domain = 'is_frozen' and f.code = cast(c.is_frozen as text)
where c.gone_since is null;
