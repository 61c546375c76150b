-- Refunds by original order: where the money of an unsubscription or downgrade comes from. | 退款金额归属：退订或降配的款项来自哪些原订单。
-- Source: ShowRefundOrderDetails, refund_infos[]
create table refund_attributions (
    account text not null,                          -- account of the configuration | 配置中的账号
    refund_order_id text not null,                  -- unsubscription or downgrade order the request asked for | 查询时请求的退订或降配订单ID
    id text not null,                               -- record | 记录ID
    amount_e8 integer,                              -- negative: refunded; positive: consumed or fee kept back | 金额：负数为退款，正数为已消费金额或手续费 | unit: 10^-8 currency units
    measure_id integer,                             -- unit of the amount: 1 = currency main unit | 金额度量单位：1 表示元（币种主单位）
    customer_id text,                               -- customer | 客户ID
    resource_type_code text,                        -- resource type | 资源类型编码
    service_type_code text,                         -- cloud service type | 云服务类型编码
    resource_type_name text,                        -- its localised name | 资源类型名称
    service_type_name text,                         -- its localised name | 云服务类型名称
    region_code text,                               -- region | 云服务区编码
    base_order_id text,                             -- original order: the purchase or one of the renewals | 退订对应的原订单ID（开通或续订订单）
    extra text,                                     -- JSON object with the fields the vendor's documents do not list | 文档未列出的字段（JSON 对象）
    asked_customer_id text,                         -- customer the request named; null when it named none | 请求中指定的客户ID，未指定时为空
    role text not null,                             -- role of the credential: customer or partner | 凭证角色：customer 客户，partner 合作伙伴
    first_seen_run integer not null references runs (run_id), -- run that first stored the row | 首次写入该行的运行编号
    last_changed_run integer not null references runs (run_id), -- run that last changed it | 最后修改该行的运行编号
    last_seen_at text not null,                     -- when the vendor last showed the row, by its clock, UTC | 华为云最后一次返回该行的时间（UTC）
    gone_since text,                                -- when it was found missing from a complete answer, UTC; null: it is there | 在完整应答中发现缺失的时间（UTC），空表示仍存在
    version integer not null default 1,             -- 1 when first stored, one more with each change | 版本号，首次写入为 1，每次变化加 1
    primary key (account, refund_order_id, id)
) strict;

create index refund_attributions_by_base_order on refund_attributions (account, base_order_id);
