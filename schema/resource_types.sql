-- Catalogue of resource types. | 资源类型目录。
-- Source: ListResourceTypes, resource_types[]
create table resource_types (
    account text not null,                          -- account of the configuration | 配置中的账号
    resource_type_code text not null,               -- resource type | 资源类型编码
    service_type_code text not null,                -- service type it belongs to; empty when the vendor names none | 所属云服务类型编码，未返回时为空文本
    resource_type_name text,                        -- localised name | 资源类型名称
    resource_type_desc text,                        -- localised description | 资源类型描述
    extra text,                                     -- JSON object with the fields the vendor's documents do not list | 文档未列出的字段（JSON 对象）
    asked_customer_id text,                         -- customer the request named; null when it named none | 请求中指定的客户ID，未指定时为空
    role text not null,                             -- role of the credential: customer or partner | 凭证角色：customer 客户，partner 合作伙伴
    first_seen_run integer not null references runs (run_id), -- run that first stored the row | 首次写入该行的运行编号
    last_changed_run integer not null references runs (run_id), -- run that last changed it | 最后修改该行的运行编号
    last_seen_at text not null,                     -- when the vendor last showed the row, by its clock, UTC | 华为云最后一次返回该行的时间（UTC）
    gone_since text,                                -- when it was found missing from a complete answer, UTC; null: it is there | 在完整应答中发现缺失的时间（UTC），空表示仍存在
    version integer not null default 1,             -- 1 when first stored, one more with each change | 版本号，首次写入为 1，每次变化加 1
    primary key (account, resource_type_code, service_type_code)
) strict;
