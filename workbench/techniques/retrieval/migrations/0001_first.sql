-- A collection: what was read from documents, and the indexes it is found by. All of it can be made anew from the
-- documents. One document is written in one transaction: its row, its text, its chunks, their words, their vectors.
-- The table vectors (vec0) is made when the first embedder tells how long its vectors are.

create table facts (name text primary key, value any not null) strict, without rowid;
insert into facts values ('revision', 0);

create table documents (
    number integer primary key,
    id text not null unique,
    path text not null unique,
    title text not null default '',
    kind text not null default '',
    state text not null check (state in ('indexed', 'failed')),
    reason text not null default '',
    language text not null default '',
    hash text not null default '',
    bytes integer not null default 0,
    mtime_ns integer not null default 0,
    size integer not null default -1,
    ctime_ns integer not null default 0,
    pages integer not null default 0,
    characters integer not null default 0,
    chunks integer not null default 0,
    fluency real not null default 1.0,
    indexed_at real not null
) strict;
create index documents_by_language on documents (state, language);

-- apart from documents, so that a list of them does not read their texts
create table texts (
    document integer primary key references documents (number) on delete cascade,
    text text not null,
    page_starts text not null
) strict;

create table chunks (
    number integer primary key,
    document integer not null references documents (number) on delete cascade,
    start integer not null,
    "end" integer not null,
    page integer,
    text text not null,
    terms text not null
) strict;
create index chunks_of_document on chunks (document);

-- text: the words as they stand, English endings taken off. terms: what language.index_terms made of them.
create virtual table words using fts5 (
    text, terms, content = 'chunks', content_rowid = 'number',
    tokenize = "porter unicode61 remove_diacritics 2 categories 'L* M* N* Co'"
);
create trigger chunk_written after insert on chunks begin
    insert into words (rowid, text, terms) values (new.number, new.text, new.terms);
end;
create trigger chunk_deleted after delete on chunks begin
    insert into words (words, rowid, text, terms) values ('delete', old.number, old.text, old.terms);
end;
