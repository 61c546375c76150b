-- The data dictionary. Its rows are made of the comments in the files of this folder, anew whenever they change.

-- Tables and views of this file, and what each is. | 本文件的表和视图及其含义。
create table data_objects (
    object text primary key,                        -- table or view | 表或视图
    kind text not null,                             -- table, view, check or question | 类型：table 表，view 视图，check 核对，question 财务问题
    meaning_en text not null,                       -- what it is, in English | 英文含义
    meaning_zh text not null,                       -- what it is, in Chinese | 中文含义
    made_of text                                    -- table or view it is generated from; null: from none | 由哪个表或视图生成，空表示非生成
) strict;

-- Columns of all tables and views of this file, and what each is. | 本文件全部表和视图的字段及其含义。
create table data_dictionary (
    object text not null,                           -- table or view | 表或视图
    kind text not null,                             -- table, view, check or question | 类型：table 表，view 视图，check 核对，question 财务问题
    position integer not null,                      -- place of the column, from 1 | 字段序号，从 1 开始
    column_name text not null,                      -- column | 字段名
    meaning_en text not null,                       -- what it is, in English | 英文含义
    meaning_zh text not null,                       -- what it is, in Chinese | 中文含义
    unit text not null,                             -- unit of the values; empty: none | 单位，空表示无
    source text not null,                           -- interface and field of the vendor, 'derived' or 'bookkeeping' | 来源：华为云接口及字段、derived 派生或 bookkeeping 程序记录
    primary key (object, position)
) strict;
