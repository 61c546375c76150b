-- Yearly/monthly resources that were provisioned. | 已开通的包年/包月资源。
-- Source: ListPayPerUseCustomerResources, data[]
create table resources (
    account text not null,                          -- account of the configuration | 配置中的账号
    resource_id text not null,                      -- resource, as named at provisioning | 资源ID
    id text,                                        -- internal ID of the thing provisioned | 标识要开通资源的内部ID
    resource_name text,                             -- instance name | 资源实例名称
    region_code text,                               -- region | 云服务区编码
    service_type_code text,                         -- cloud service type | 云服务类型编码
    resource_type_code text,                        -- resource type | 资源类型编码
    resource_type_name text,                        -- its localised name | 资源类型名称
    service_type_name text,                         -- its localised name | 云服务类型名称
    resource_spec_code text,                        -- specification code | 资源规格编码
    project_id text,                                -- project | 资源项目ID
    product_id text,                                -- product | 产品ID
    parent_resource_id text,                        -- main resource of an attached one | 父资源ID（附属资源对应的主资源）
    is_main_resource integer,                       -- 1: main, 0: attached | 是否主资源：1 主资源，0 附属资源
    status integer,                                 -- 2 in use, 3 closed, 4 frozen, 5 expired | 资源状态：2 使用中，3 已关闭，4 已冻结，5 已过期
    effective_time text,                            -- start of service, UTC | 资源生效时间（UTC）
    expire_time text,                               -- end of service, UTC | 资源到期时间（UTC）
    expire_policy integer,                          -- what happens at expiry; 3 = renewed automatically | 到期策略，3 为自动续订
    product_spec_desc text,                         -- specification | 产品规格描述
    spec_size text,                                 -- linear size, decimal text as it came | 线性产品大小（原始十进制文本）
    spec_size_measure_id integer,                   -- unit of the size | 线性产品大小的度量单位标识
    update_time text,                               -- last update, UTC | 最后更新时间（UTC）
    enterprise_project_id text,                     -- enterprise project | 企业项目ID
    enterprise_project_name text,                   -- its name | 企业项目名称
    extra text,                                     -- JSON object with the fields the vendor's documents do not list | 文档未列出的字段（JSON 对象）
    asked_customer_id text,                         -- customer the request named; null when it named none | 请求中指定的客户ID，未指定时为空
    role text not null,                             -- role of the credential: customer or partner | 凭证角色：customer 客户，partner 合作伙伴
    first_seen_run integer not null references runs (run_id), -- run that first stored the row | 首次写入该行的运行编号
    last_changed_run integer not null references runs (run_id), -- run that last changed it | 最后修改该行的运行编号
    last_seen_at text not null,                     -- when the vendor last showed the row, by its clock, UTC | 华为云最后一次返回该行的时间（UTC）
    gone_since text,                                -- when it was found missing from a complete answer, UTC; null: it is there | 在完整应答中发现缺失的时间（UTC），空表示仍存在
    version integer not null default 1,             -- 1 when first stored, one more with each change | 版本号，首次写入为 1，每次变化加 1
    primary key (account, resource_id)
) strict;

create index resources_by_expire_time on resources (account, expire_time);

create index resources_by_parent on resources (account, parent_resource_id);

-- Which resources an order bought, renewed or changed; known only from the request that named the order. | 订单与资源的关联（开通、续订或变更），仅由按订单查询的请求得知。
-- Source: ListPayPerUseCustomerResources with order_id, data[]
create table order_resources (
    account text not null,                          -- account of the configuration | 配置中的账号
    order_id text not null,                         -- order the request asked for | 查询时请求的订单ID
    resource_id text not null,                      -- resource in its answer | 应答中的资源ID
    extra text,                                     -- JSON object with the fields the vendor's documents do not list | 文档未列出的字段（JSON 对象）
    asked_customer_id text,                         -- customer the request named; null when it named none | 请求中指定的客户ID，未指定时为空
    role text not null,                             -- role of the credential: customer or partner | 凭证角色：customer 客户，partner 合作伙伴
    first_seen_run integer not null references runs (run_id), -- run that first stored the row | 首次写入该行的运行编号
    last_changed_run integer not null references runs (run_id), -- run that last changed it | 最后修改该行的运行编号
    last_seen_at text not null,                     -- when the vendor last showed the row, by its clock, UTC | 华为云最后一次返回该行的时间（UTC）
    gone_since text,                                -- when it was found missing from a complete answer, UTC; null: it is there | 在完整应答中发现缺失的时间（UTC），空表示仍存在
    version integer not null default 1,             -- 1 when first stored, one more with each change | 版本号，首次写入为 1，每次变化加 1
    primary key (account, order_id, resource_id)
) strict;

create index order_resources_by_resource on order_resources (account, resource_id);
