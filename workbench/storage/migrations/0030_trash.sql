-- The trash: what was deleted and is deleted for good after a time. What a chat, a collection or a model has stays where
-- it is; trashed is the id of its entry, null while it is not in the trash.
create table trash (
    number integer primary key,
    id text not null unique,
    kind text not null,
    item text not null,
    title text not null,
    place text not null default '',
    deleted real not null,
    bytes integer not null default 0,
    inside text not null default '',
    value text not null default '{}'
);
alter table chats add column trashed text;
alter table collections add column trashed text;
alter table models add column trashed text;
-- Files that a person took out of a collection: they are not read again with a folder that they are in.
create table left_out (
    collection text not null references collections (id) on delete cascade,
    path text not null,
    primary key (collection, path)
) without rowid;
