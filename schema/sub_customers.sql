-- Customers of a partner. | 合作伙伴的客户。
-- Personal data: do not copy further than needed.
-- Source: ListSubCustomers, customer_infos[]
create table sub_customers (
    account text not null,                          -- account of the configuration | 配置中的账号
    customer_id text not null,                      -- customer | 客户ID
    customer text,                                  -- verified name | 客户名称（实名）
    account_name text,                              -- login name | 账号名
    associated_on text,                             -- when it was associated with the partner, UTC | 与合作伙伴的关联时间（UTC）
    association_type text,                          -- 1 advisory, 2 reselling on behalf (China), 3 resale (international) | 关联类型：1 顾问销售，2 代售，3 转售
    label text,                                     -- tag | 标签
    telephone text,                                 -- phone | 手机号码
    verified_status text,                           -- -1 not verified, 0 pending, 1 rejected, 2 verified | 实名认证状态：-1 未认证，0 审核中，1 不通过，2 已认证
    country_code text,                              -- phone prefix | 国家码（电话号码前缀）
    customer_type integer,                          -- -1 none, 0 person, 1 enterprise | 客户类型：-1 无类型，0 个人，1 企业
    is_frozen integer,                              -- 0 no, 1 account, 2 account and resources | 冻结状态：0 否，1 账号冻结，2 账号和资源冻结
    xaccount_id text,                               -- partner-side user | 合作伙伴平台的用户标识
    xaccount_type text,                             -- platform | 合作伙伴平台标识
    customer_level text,                            -- V0 to V5 | 客户等级：V0 至 V5
    email text,                                     -- e-mail | 邮箱
    extra text,                                     -- JSON object with the fields the vendor's documents do not list | 文档未列出的字段（JSON 对象）
    asked_customer_id text,                         -- customer the request named; null when it named none | 请求中指定的客户ID，未指定时为空
    role text not null,                             -- role of the credential: customer or partner | 凭证角色：customer 客户，partner 合作伙伴
    first_seen_run integer not null references runs (run_id), -- run that first stored the row | 首次写入该行的运行编号
    last_changed_run integer not null references runs (run_id), -- run that last changed it | 最后修改该行的运行编号
    last_seen_at text not null,                     -- when the vendor last showed the row, by its clock, UTC | 华为云最后一次返回该行的时间（UTC）
    gone_since text,                                -- when it was found missing from a complete answer, UTC; null: it is there | 在完整应答中发现缺失的时间（UTC），空表示仍存在
    version integer not null default 1,             -- 1 when first stored, one more with each change | 版本号，首次写入为 1，每次变化加 1
    primary key (account, customer_id)
) strict;

-- Account managers of a partner's customers. | 合作伙伴客户的客户经理。
-- Source: ListSubCustomers, customer_infos[].account_managers[]
create table sub_customer_account_managers (
    account text not null,                          -- account of the configuration | 配置中的账号
    customer_id text not null,                      -- customer | 客户ID
    position integer not null,                      -- place in the list, from 0 | 在列表中的位置，从 0 开始
    account_name text,                              -- login name of the account manager | 客户经理账号名
    extra text,                                     -- JSON object with the fields the vendor's documents do not list | 文档未列出的字段（JSON 对象）
    first_seen_run integer not null references runs (run_id), -- run that first stored the row | 首次写入该行的运行编号
    last_changed_run integer not null references runs (run_id), -- run that last changed it | 最后修改该行的运行编号
    last_seen_at text not null,                     -- when the vendor last showed the row, by its clock, UTC | 华为云最后一次返回该行的时间（UTC）
    gone_since text,                                -- when it was found missing from a complete answer, UTC; null: it is there | 在完整应答中发现缺失的时间（UTC），空表示仍存在
    version integer not null default 1,             -- 1 when first stored, one more with each change | 版本号，首次写入为 1，每次变化加 1
    primary key (account, customer_id, position)
) strict;
