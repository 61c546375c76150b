-- Commits: every transaction that writes has a number, and every version of a record says which commit made it. Versions that
-- are older than this table have commits that were put together later, from what was known of their order: 'derived'. What
-- somebody changes by hand is a commit of its own for each row. 'open' is a transaction under way: nobody else ever sees it.

-- Transactions that wrote to this file, in their order. | 写入本文件的各次提交，按先后顺序。
create table commits (
    commit_no integer primary key,                  -- number of the commit, one more than that of the one before | 提交编号，依次加 1
    at text not null,                               -- when, by this machine's clock, never earlier than the one before, UTC | 提交时间（本机时钟，不会倒退，UTC）
    tag text not null,                              -- random: the same number with another tag is another commit | 随机标记：编号相同而标记不同即为不同的提交
    origin text not null                            -- 'written', 'derived' from what was known of older versions, or 'by hand' | 来源：written 程序写入，derived 由较早版本推定，by hand 人工修改
        check (origin in ('written', 'derived', 'by hand', 'open'))
) strict;

alter table orders add column from_commit integer not null default 0; -- commit that made this version; 0: put in by hand | 产生该版本的提交编号，0 表示人工写入
alter table order_discounts add column from_commit integer not null default 0; -- commit that made this version; 0: put in by hand | 产生该版本的提交编号，0 表示人工写入
alter table order_enterprise_projects add column from_commit integer not null default 0; -- commit that made this version; 0: put in by hand | 产生该版本的提交编号，0 表示人工写入
alter table order_details add column from_commit integer not null default 0; -- commit that made this version; 0: put in by hand | 产生该版本的提交编号，0 表示人工写入
alter table order_detail_discounts add column from_commit integer not null default 0; -- commit that made this version; 0: put in by hand | 产生该版本的提交编号，0 表示人工写入
alter table order_lines add column from_commit integer not null default 0; -- commit that made this version; 0: put in by hand | 产生该版本的提交编号，0 表示人工写入
alter table order_line_discounts add column from_commit integer not null default 0; -- commit that made this version; 0: put in by hand | 产生该版本的提交编号，0 表示人工写入
alter table refund_attributions add column from_commit integer not null default 0; -- commit that made this version; 0: put in by hand | 产生该版本的提交编号，0 表示人工写入
alter table resources add column from_commit integer not null default 0; -- commit that made this version; 0: put in by hand | 产生该版本的提交编号，0 表示人工写入
alter table order_resources add column from_commit integer not null default 0; -- commit that made this version; 0: put in by hand | 产生该版本的提交编号，0 表示人工写入
alter table service_types add column from_commit integer not null default 0; -- commit that made this version; 0: put in by hand | 产生该版本的提交编号，0 表示人工写入
alter table resource_types add column from_commit integer not null default 0; -- commit that made this version; 0: put in by hand | 产生该版本的提交编号，0 表示人工写入
alter table sub_customers add column from_commit integer not null default 0; -- commit that made this version; 0: put in by hand | 产生该版本的提交编号，0 表示人工写入
alter table sub_customer_account_managers add column from_commit integer not null default 0; -- commit that made this version; 0: put in by hand | 产生该版本的提交编号，0 表示人工写入
