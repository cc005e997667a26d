-- Folders of the history: a chat is in one of them, or in none.
create table chat_folders (
    id text primary key,
    name text not null collate nocase unique
) without rowid;
alter table chats add column folder text references chat_folders (id) on delete set null;
create index chats_of_folder on chats (folder) where folder is not null;
