-- Judgements of answers, with the pairs that wait to be judged; and the actions on them, so that each can be undone.
create table labelling_queues (
    id text primary key,
    name text not null collate nocase unique,
    created real not null,
    description text not null
) without rowid;
create table judgements (
    number integer primary key autoincrement,
    id text not null unique,
    verdict text not null,
    source text not null,
    judge text not null,
    judge_name text not null,
    chat text not null,
    origin text not null,
    queue text not null,
    place integer not null default 0,
    two integer not null,
    edited integer not null,
    changed real not null,
    said text not null,
    value text not null
);
create index judgements_by_change on judgements (changed);
create index judgements_of_queue on judgements (queue, verdict, place);
-- Finds the rated and edited answers of chats without reading the others, which hold whole traces.
create index messages_judged on messages (chat) where rating <> 0 or original is not null;
-- Ratings and edits of chats that are left out: they are no rows of judgements, since the chat holds them.
create table left_out_judgements (
    id text primary key
) without rowid;
-- before is null for a judgement that was added, and '' for one that was left out.
create table judgement_actions (
    number integer primary key autoincrement,
    at real not null,
    title text not null,
    queue text not null
);
create table judgement_changes (
    action integer not null references judgement_actions (number) on delete cascade,
    judgement text not null,
    before text,
    place integer not null default 0
);
create index judgement_changes_of_action on judgement_changes (action);
