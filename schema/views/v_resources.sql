-- Every resource the vendor still shows, readable, with the number of orders known to have bought, renewed or
-- changed it. | 全部包年/包月资源明细。
create view v_resources as
select
    r.account,
    r.resource_id,
    r.id,
    r.resource_name,
    r.asked_customer_id as customer_id,
    r.service_type_code,
    r.service_type_name,
    r.resource_type_code,
    r.resource_type_name,
    r.resource_spec_code,
    r.product_spec_desc,
    r.spec_size,
    r.region_code,
    r.project_id,
    r.enterprise_project_id,
    r.enterprise_project_name,
    r.is_main_resource,
    r.parent_resource_id,
    r.status,
    s.name_en as status_en,
    s.name_zh as status_zh,
    r.expire_policy,
    p.name_en as expire_policy_en,
    p.name_zh as expire_policy_zh,
    r.effective_time,
    r.expire_time,
    strftime('%Y-%m-%d %H:%M:%S', r.effective_time, '+8 hours') as effective_time_utc8,
    strftime('%Y-%m-%d %H:%M:%S', r.expire_time, '+8 hours') as expire_time_utc8,
    -- Written as in the index resources_by_expire_month, to the letter.
    strftime('%Y-%m', ltrim(r.expire_time, 'NnSs'), '+8 hours') as expire_month,
    r.last_seen_at,
    (
        select count(*)
        from order_resources as x
        where x.account = r.account and x.resource_id = r.resource_id and x.gone_since is null
    ) as linked_orders -- orders known to have bought, renewed or changed it | 已知关联的订单数
from resources as r
left join code_names as s on s.domain = 'resource_status' and s.code = cast(r.status as text)
left join code_names as p on p.domain = 'expire_policy' and p.code = cast(r.expire_policy as text)
where r.gone_since is null;
