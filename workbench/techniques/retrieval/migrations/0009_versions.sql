-- The date from which a document says it is valid, such as 2025-03-15 or 2025; empty where it says none. The versions of
-- documents that were read before are told by their names.
alter table documents add column valid_from text not null default '';
