-- What people author. Values that the core only passes on are JSON.

create table chats (
    number integer primary key,
    id text not null unique,
    title text not null,
    created real not null,
    updated real not null,
    head text,
    recipe text
);

-- A tree: an edited question or a regenerated answer is a sibling of the first one.
create table messages (
    number integer primary key,
    id text not null unique,
    chat text not null references chats (id) on delete cascade,
    parent text references messages (id) on delete cascade,
    role text not null check (role in ('user', 'assistant')),
    text text not null,
    state text not null check (state in ('done', 'streaming', 'stopped', 'failed', 'interrupted')),
    thought text not null default '',
    error text not null default '',
    created real not null,
    query text not null default '',
    passages text not null default '[]',
    citations text not null default '[]',
    declined integer not null default 0,
    notices text not null default '[]',
    usage text,
    recipe text
);
create index messages_of_chat on messages (chat);
create index messages_of_parent on messages (parent);
create index messages_streaming on messages (state) where state = 'streaming';

-- Search in the history. Trigrams find parts of words in every script, also where words have no spaces.
-- A message has its number as rowid, a chat's title the negative of its number.
create virtual table history using fts5 (
    text, chat unindexed, tokenize = 'trigram remove_diacritics 1'
);
create trigger message_written after insert on messages when new.state <> 'streaming' begin
    insert into history (rowid, text, chat) values (new.number, new.text, new.chat);
end;
create trigger message_changed after update of text, state on messages when new.state <> 'streaming' begin
    delete from history where rowid = old.number;
    insert into history (rowid, text, chat) values (new.number, new.text, new.chat);
end;
create trigger message_deleted after delete on messages begin
    delete from history where rowid = old.number;
end;
create trigger chat_written after insert on chats begin
    insert into history (rowid, text, chat) values (-new.number, new.title, new.id);
end;
create trigger chat_renamed after update of title on chats begin
    delete from history where rowid = -old.number;
    insert into history (rowid, text, chat) values (-new.number, new.title, new.id);
end;
create trigger chat_deleted after delete on chats begin
    delete from history where rowid = -old.number;
end;

create table runs (
    number integer primary key,
    id text not null unique,
    kind text not null,
    title text not null,
    state text not null check (state in ('queued', 'running', 'finished', 'failed', 'cancelled', 'interrupted')),
    created real not null,
    ended real,
    progress real,
    stage text not null default '',
    seconds_left real,
    message text not null default '',
    config text not null,
    result text not null default '{}'
);
create index runs_open on runs (state) where state in ('queued', 'running');

create table models (
    name text primary key collate nocase,
    kind text not null,
    format text not null,
    path text not null,
    architecture text not null,
    parameters integer not null,
    quantization text not null,
    context_tokens integer not null,
    bytes integer not null,
    licence text not null,
    files text not null,
    sha256 text not null,
    owned integer not null,
    added real not null
);

-- The counts are those of collections/<id>.sqlite at its revision, kept here so that a list needs no worker.
create table collections (
    id text primary key,
    name text not null unique collate nocase,
    created real not null,
    documents integer not null default 0,
    failed integer not null default 0,
    chunks integer not null default 0,
    bytes integer not null default 0,
    revision integer not null default 0
);

create table roots (
    collection text not null references collections (id) on delete cascade,
    path text not null,
    watched integer not null default 0,
    added real not null,
    read_at real,
    primary key (collection, path)
);
