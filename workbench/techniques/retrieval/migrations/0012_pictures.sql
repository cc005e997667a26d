-- Pictures within documents: the text from start to end that each belongs to, and its part of the document's archive.
create table pictures (
    document integer not null references documents (number) on delete cascade,
    number integer not null,
    start integer not null,
    "end" integer not null,
    part text not null,
    primary key (document, number)
) strict, without rowid;
