-- The names that orders give a project.
create index order_enterprise_projects_by_project on order_enterprise_projects (account, enterprise_project_id);
