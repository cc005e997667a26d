-- Which chat of another program's export a chat was imported from, so that none is imported twice.
alter table chats add column imported text;
create unique index chats_imported on chats (imported) where imported is not null;
