-- Orders as the order details show them: the head of each order's lines, members of combined orders included. | 订单（订单详情），含组合交易成员。
-- Source: ShowCustomerOrderDetails, order_info
create table order_details (
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
    user_name text,                                 -- login name of the creator; a fixed Chinese phrase when Huawei created it | 创建订单的用户名；华为云创建时为固定中文
    pending_payment_end_time text,                  -- deadline for paying, UTC | 待支付订单的支付截止时间（UTC）
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

create index order_details_by_parent on order_details (account, parent_order_id);

-- Discounts of an order as the order details show them. | 订单详情中的折扣明细。
-- Source: ShowCustomerOrderDetails, order_info.amount_info.discounts[]
create table order_detail_discounts (
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

-- Lines of orders. | 订单项。
-- Source: ShowCustomerOrderDetails, order_line_items[]
create table order_lines (
    account text not null,                          -- account of the configuration | 配置中的账号
    order_line_item_id text not null,               -- order line | 订单项ID
    requested_order_id text not null,               -- order the request asked for: the combined order, for its members' lines | 查询时请求的订单ID（组合交易成员的订单项为其组合订单）
    order_id text,                                  -- order of the line | 订单项所属订单ID
    service_type_code text,                         -- cloud service type | 云服务类型编码
    service_type_name text,                         -- its localised name | 云服务类型名称
    product_id text,                                -- product | 产品ID
    product_spec_desc text,                         -- specification | 产品规格描述
    period_type integer,                            -- unit of the period | 订购周期类型
    period_num integer,                             -- number of periods; null on unsubscriptions | 订购周期数，退订时为空
    effective_time text,                            -- start of service, UTC | 生效时间（UTC）
    expire_time text,                               -- end of service, UTC; the last second is included | 到期时间（UTC），含最后一秒
    subscription_num integer,                       -- quantity | 订购数量
    amount_after_discount_e8 integer,               -- price after discounts, coupons and cards not subtracted | 订单项优惠后金额（不含券不含卡） | unit: 10^-8 currency units
    official_amount_e8 integer,                     -- list price | 订单项金额（官网价） | unit: 10^-8 currency units
    flexipurchase_coupon_amount_e8 integer,         -- 现金券 part (flexi-purchase coupon) | 现金券金额 | unit: 10^-8 currency units
    coupon_amount_e8 integer,                       -- 代金券 part (cash coupon) | 代金券金额 | unit: 10^-8 currency units
    stored_card_amount_e8 integer,                  -- stored-value card part | 储值卡金额 | unit: 10^-8 currency units
    commission_amount_e8 integer,                   -- handling fee, only on unsubscription orders | 手续费（仅退订订单） | unit: 10^-8 currency units
    consumed_amount_e8 integer,                     -- amount already consumed, only on unsubscription orders | 已消费金额（仅退订订单） | unit: 10^-8 currency units
    currency text,                                  -- CNY, USD, … | 币种编码，如 CNY、USD
    category_code text,                             -- catalogue code | 产品目录编码
    product_owner_service text,                     -- service type that owns the product | 产品归属的云服务类型编码
    commercial_resource text,                       -- resource type the product is sold under | 商务资源类型编码
    base_product_id text,                           -- base product | 基础产品ID
    base_product_spec_desc text,                    -- its specification | 基础产品规格描述
    base_category_code text,                        -- its catalogue code | 基础产品目录编码
    base_product_owner_service text,                -- service type that owns it | 基础产品归属的云服务类型编码
    base_commercial_resource text,                  -- resource type it is sold under | 基础产品的商务资源类型编码
    extra text,                                     -- JSON object with the fields the vendor's documents do not list | 文档未列出的字段（JSON 对象）
    asked_customer_id text,                         -- customer the request named; null when it named none | 请求中指定的客户ID，未指定时为空
    role text not null,                             -- role of the credential: customer or partner | 凭证角色：customer 客户，partner 合作伙伴
    first_seen_run integer not null references runs (run_id), -- run that first stored the row | 首次写入该行的运行编号
    last_changed_run integer not null references runs (run_id), -- run that last changed it | 最后修改该行的运行编号
    last_seen_at text not null,                     -- when the vendor last showed the row, by its clock, UTC | 华为云最后一次返回该行的时间（UTC）
    gone_since text,                                -- when it was found missing from a complete answer, UTC; null: it is there | 在完整应答中发现缺失的时间（UTC），空表示仍存在
    version integer not null default 1,             -- 1 when first stored, one more with each change | 版本号，首次写入为 1，每次变化加 1
    primary key (account, order_line_item_id)
) strict;

create index order_lines_by_requested_order on order_lines (account, requested_order_id);

create index order_lines_by_order on order_lines (account, order_id);

-- Discounts of an order line. | 订单项的折扣明细。
-- Source: ShowCustomerOrderDetails, order_line_items[].amount_info.discounts[]
create table order_line_discounts (
    account text not null,                          -- account of the configuration | 配置中的账号
    order_line_item_id text not null,               -- order line | 订单项ID
    position integer not null,                      -- place in the list, from 0 | 在列表中的位置，从 0 开始
    discount_type text,                             -- kind of discount | 折扣类型
    discount_amount_e8 integer,                     -- amount taken off | 折扣金额 | unit: 10^-8 currency units
    extra text,                                     -- JSON object with the fields the vendor's documents do not list | 文档未列出的字段（JSON 对象）
    first_seen_run integer not null references runs (run_id), -- run that first stored the row | 首次写入该行的运行编号
    last_changed_run integer not null references runs (run_id), -- run that last changed it | 最后修改该行的运行编号
    last_seen_at text not null,                     -- when the vendor last showed the row, by its clock, UTC | 华为云最后一次返回该行的时间（UTC）
    gone_since text,                                -- when it was found missing from a complete answer, UTC; null: it is there | 在完整应答中发现缺失的时间（UTC），空表示仍存在
    version integer not null default 1,             -- 1 when first stored, one more with each change | 版本号，首次写入为 1，每次变化加 1
    primary key (account, order_line_item_id, position)
) strict;
