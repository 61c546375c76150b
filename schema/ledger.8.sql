-- Page limits that the last run learned, where they are not the documented ones. | 获知的分页上限（与文档不同者）。
create table page_limits (
    account text not null,                          -- account of the configuration | 配置中的账号
    endpoint text not null,                         -- interface of the vendor | 接口
    host text not null,                             -- whom it was learned from; another host has other limits | 主机
    documented integer not null,                    -- the documents' largest limit when it was learned | 获知时文档规定的上限
    most integer not null,                          -- the largest limit that the server accepts, as far as is known | 已知服务器接受的最大上限
    page_limit integer not null,                    -- rows of a page that were asked for last | 最近请求的每页行数
    learned_at text not null,                       -- when it was learned, UTC | 获知时间（UTC）
    program_version text not null,                  -- version of the program | 程序版本
    primary key (account, endpoint)
) strict;
