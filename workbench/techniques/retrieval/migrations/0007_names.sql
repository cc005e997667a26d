-- Who and what the documents name, and the chunks that do. A name is listed where a text shows that it is one ("sure");
-- a word that may be a name counts in a chunk when another document shows it. Documents that were read before have none.
create table names (
    number integer primary key,
    key text not null unique,
    shown text not null,
    kind text not null
) strict;

create table mentions (
    name integer not null references names (number) on delete cascade,
    chunk integer not null references chunks (number) on delete cascade,
    sure integer not null,
    primary key (name, chunk)
) strict, without rowid;
create index mentions_of_chunk on mentions (chunk);
