-- Orders as the order list shows them, members of combined orders included. | 订单（订单列表），含组合交易成员。
-- Count leaves only.
-- Source: ListCustomerOrders, order_infos[]
create table orders (
    account text not null,                          -- account of the configuration | 配置中的账号
    order_id text not null,                         -- order | 订单ID
    parent_order_id text,                           -- combined order this order is a member of | 所属组合交易订单的订单ID
    customer_id text,                               -- customer that owns the order | 订单所属客户ID
    service_type_code text,                         -- cloud service type | 云服务类型编码
    service_type_name text,                         -- its localised name | 云服务类型名称
    source_type integer,                            -- origin of the order | 订单来源类型
    status integer,                                 -- order status | 订单状态
    order_type integer,                             -- order type | 订单类型
    amount_after_discount_e8 integer,               -- price after discounts, coupons and cards not subtracted | 订单优惠后金额（不含券不含卡） | unit: 10^-8 currency units
    official_amount_e8 integer,                     -- list price | 订单金额（官网价） | unit: 10^-8 currency units
    measure_id integer,                             -- unit of the amounts: 1 = currency main unit | 金额度量单位：1 表示元（币种主单位）
    create_time text,                               -- when it was created, UTC | 创建时间（UTC）
    payment_time text,                              -- when it was paid, UTC; null or empty while unpaid | 支付时间（UTC），未支付时为空
    currency text,                                  -- CNY, USD, … | 币种编码，如 CNY、USD
    contract_id text,                               -- contract | 合同ID
    flexipurchase_coupon_amount_e8 integer,         -- 现金券 part (flexi-purchase coupon) | 现金券金额 | unit: 10^-8 currency units
    coupon_amount_e8 integer,                       -- 代金券 part (cash coupon) | 代金券金额 | unit: 10^-8 currency units
    stored_card_amount_e8 integer,                  -- stored-value card part | 储值卡金额 | unit: 10^-8 currency units
    commission_amount_e8 integer,                   -- handling fee, only on unsubscription orders | 手续费（仅退订订单） | unit: 10^-8 currency units
    consumed_amount_e8 integer,                     -- amount already consumed, only on unsubscription orders | 已消费金额（仅退订订单） | unit: 10^-8 currency units
    paying_agent_id text,                           -- customer that pays on behalf of the owner | 代付方客户ID
    is_agent_pay integer,                           -- 1: paid by somebody else | 是否代付：1 是，0 否
    extra text,                                     -- JSON object with the fields the vendor's documents do not list | 文档未列出的字段（JSON 对象）
    asked_customer_id text,                         -- customer the request named; null when it named none | 请求中指定的客户ID，未指定时为空
    role text not null,                             -- role of the credential: customer or partner | 凭证角色：customer 客户，partner 合作伙伴
    first_seen_run integer not null references runs (run_id), -- run that first stored the row | 首次写入该行的运行编号
    last_changed_run integer not null references runs (run_id), -- run that last changed it | 最后修改该行的运行编号
    last_seen_at text not null,                     -- when the vendor last showed the row, by its clock, UTC | 华为云最后一次返回该行的时间（UTC）
    gone_since text,                                -- when it was found missing from a complete answer, UTC; null: it is there | 在完整应答中发现缺失的时间（UTC），空表示仍存在
    version integer not null default 1,             -- 1 when first stored, one more with each change | 版本号，首次写入为 1，每次变化加 1
    primary key (account, order_id)
) strict;

create index orders_by_create_time on orders (account, create_time);

-- What the list counts: no members of combined orders, nothing that is gone.
create index orders_of_the_list on orders (account, create_time) where parent_order_id is null and gone_since is null;

-- Orders that can still change: each run looks at them again.
create index orders_that_are_open on orders (account, create_time)
where parent_order_id is null and gone_since is null and (status is null or status not in (4, 5));

create index orders_by_payment_time on orders (account, payment_time);

create index orders_by_status on orders (account, status);

create index orders_by_parent on orders (account, parent_order_id);

-- Discounts of an order. | 订单的折扣明细。
-- Source: ListCustomerOrders, order_infos[].amount_info.discounts[]
create table order_discounts (
    account text not null,                          -- account of the configuration | 配置中的账号
    order_id text not null,                         -- order | 订单ID
    position integer not null,                      -- place in the list, from 0 | 在列表中的位置，从 0 开始
    discount_type text,                             -- kind of discount | 折扣类型
    discount_amount_e8 integer,                     -- amount taken off | 折扣金额 | unit: 10^-8 currency units
    extra text,                                     -- JSON object with the fields the vendor's documents do not list | 文档未列出的字段（JSON 对象）
    first_seen_run integer not null references runs (run_id), -- run that first stored the row | 首次写入该行的运行编号
    last_changed_run integer not null references runs (run_id), -- run that last changed it | 最后修改该行的运行编号
    last_seen_at text not null,                     -- when the vendor last showed the row, by its clock, UTC | 华为云最后一次返回该行的时间（UTC）
    gone_since text,                                -- when it was found missing from a complete answer, UTC; null: it is there | 在完整应答中发现缺失的时间（UTC），空表示仍存在
    version integer not null default 1,             -- 1 when first stored, one more with each change | 版本号，首次写入为 1，每次变化加 1
    primary key (account, order_id, position)
) strict;

-- Enterprise projects of an order; no amounts are attributed to them. | 订单的企业项目，不含金额。
-- Source: ListCustomerOrders, order_infos[].enterprise_projects[]
create table order_enterprise_projects (
    account text not null,                          -- account of the configuration | 配置中的账号
    order_id text not null,                         -- order | 订单ID
    position integer not null,                      -- place in the list, from 0 | 在列表中的位置，从 0 开始
    enterprise_project_id text,                     -- enterprise project; 0 is the default project | 企业项目ID，0 为默认企业项目
    enterprise_project_name text,                   -- its name | 企业项目名称
    extra text,                                     -- JSON object with the fields the vendor's documents do not list | 文档未列出的字段（JSON 对象）
    first_seen_run integer not null references runs (run_id), -- run that first stored the row | 首次写入该行的运行编号
    last_changed_run integer not null references runs (run_id), -- run that last changed it | 最后修改该行的运行编号
    last_seen_at text not null,                     -- when the vendor last showed the row, by its clock, UTC | 华为云最后一次返回该行的时间（UTC）
    gone_since text,                                -- when it was found missing from a complete answer, UTC; null: it is there | 在完整应答中发现缺失的时间（UTC），空表示仍存在
    version integer not null default 1,             -- 1 when first stored, one more with each change | 版本号，首次写入为 1，每次变化加 1
    primary key (account, order_id, position)
) strict;
