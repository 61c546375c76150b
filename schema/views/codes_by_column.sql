-- Which columns of the record tables hold codes, and where code_names has their names. | 各编码字段对应的编码域。
-- `join code_names as n on n.domain = c.domain and n.code = cast(value as text)`.
create view codes_by_column as
with
-- Table, column, domain.
coded (object, column_name, domain) as (
    values
        ('orders', 'source_type', 'order_source'),
        ('orders', 'status', 'order_status'),
        ('orders', 'order_type', 'order_type'),
        ('orders', 'is_agent_pay', 'yes_no'),
        ('order_discounts', 'discount_type', 'discount_type'),
        ('order_details', 'source_type', 'order_source'),
        ('order_details', 'status', 'order_status'),
        ('order_details', 'order_type', 'order_type'),
        ('order_detail_discounts', 'discount_type', 'discount_type'),
        ('order_lines', 'period_type', 'period_type'),
        ('order_line_discounts', 'discount_type', 'discount_type'),
        ('resources', 'is_main_resource', 'yes_no'),
        ('resources', 'status', 'resource_status'),
        ('resources', 'expire_policy', 'expire_policy'),
        ('sub_customers', 'association_type', 'association_type'),
        ('sub_customers', 'verified_status', 'verified_status'),
        ('sub_customers', 'customer_type', 'customer_type'),
        ('sub_customers', 'is_frozen', 'is_frozen'),
        ('sub_customers', 'customer_level', 'customer_level')
)
select
    object, -- table | 表
    column_name, -- its column with codes | 编码字段
    domain -- domain of code_names | 编码域
from coded;
