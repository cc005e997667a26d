-- Ladders (records/ladder.py): one question set taken through the techniques. What a ladder has come to with each of
-- its rungs is written as it happens, so that one that was stopped or killed goes on where it was.
create table ladders (
    id text primary key,
    created real not null,
    value text not null
) without rowid;
create table ladder_rungs (
    ladder text not null references ladders (id) on delete cascade,
    name text not null,
    value text not null,
    primary key (ladder, name)
) without rowid;
