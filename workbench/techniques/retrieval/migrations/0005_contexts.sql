-- The context of a chunk: the title and headings that are above it, the column names of its table, the sender and date
-- of its message. It is searched in an index of its own, so that those of collections that have none stay as they are.
alter table chunks add column context text not null default '';
-- context_terms: what language.index_terms made of the context.
alter table chunks add column context_terms text not null default '';
create virtual table contexts using fts5 (
    context, context_terms, content = 'chunks', content_rowid = 'number',
    tokenize = "porter unicode61 remove_diacritics 2 categories 'L* M* N* Co'"
);
create trigger context_written after insert on chunks begin
    insert into contexts (rowid, context, context_terms) values (new.number, new.context, new.context_terms);
end;
create trigger context_deleted after delete on chunks begin
    insert into contexts (contexts, rowid, context, context_terms)
    values ('delete', old.number, old.context, old.context_terms);
end;
insert into contexts (contexts) values ('rebuild');
-- What was taken from a file when it was read: 0 its text alone, 1 the contexts of its passages, too.
alter table documents add column reading integer not null default 0;
