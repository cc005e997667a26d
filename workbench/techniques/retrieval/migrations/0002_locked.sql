-- Files that failed since they need a password.
alter table documents add column locked integer not null default 0;
