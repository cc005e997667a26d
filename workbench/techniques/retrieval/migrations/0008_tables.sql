-- The tables of documents that can be computed with. content: a DocumentTable (records/tables.py) as JSON, compressed by
-- zlib; cells: how many it has.
create table document_tables (
    document integer not null references documents (number) on delete cascade,
    number integer not null,
    cells integer not null,
    content blob not null,
    primary key (document, number)
) strict, without rowid;
