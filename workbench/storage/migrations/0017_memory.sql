-- What the program remembers for its agents.
create table facts (
    id text primary key,
    text text not null,
    source text not null,
    chat text not null default '',
    created real not null,
    changed real not null
) without rowid;
-- Whether an answer was made from text of strangers, which taints the conversation that follows.
alter table messages add column tainted integer not null default 0;
