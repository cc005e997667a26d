-- Messages of tools, messages with parts, and answers with a trace of steps. SQLite cannot change a check constraint, so
-- the table is built anew; `number` is kept, by which the history finds a message.
create table messages_new (
    number integer primary key,
    id text not null unique,
    chat text not null references chats (id) on delete cascade,
    parent text references messages_new (id) on delete cascade,
    role text not null check (role in ('user', 'assistant', 'tool')),
    text text not null,
    parts text not null default '[]',
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
    recipe text,
    document text,
    sequences text not null default '[]',
    kept integer not null default 0,
    trace blob,
    steps integer not null default 0,
    traced integer not null default 0,
    rating integer not null default 0,
    original text
);
insert into messages_new (
    number, id, chat, parent, role, text, state, thought, error, created, query, passages, citations, declined, notices,
    usage, recipe, document, sequences, kept, trace, steps, traced, rating, original
)
select
    number, id, chat, parent, role, text, state, thought, error, created, query, passages, citations, declined, notices,
    usage, recipe, document, sequences, kept, trace, trace is not null, trace is not null, rating, original
from messages order by number;
-- Dropping the table deletes its rows by their foreign keys, which would take them out of the history.
drop trigger message_deleted;
drop table messages;
alter table messages_new rename to messages;

create index messages_of_chat on messages (chat);
create index messages_of_parent on messages (parent);
create index messages_streaming on messages (state) where state = 'streaming';
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
