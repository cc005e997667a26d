-- How many documents of a collection were read when less was taken from files: all of those that there are now. The
-- languages, by their names with commas between them, of documents that the embedding model knows badly.
alter table collections add column outdated integer not null default 0;
alter table collections add column unknown_languages text not null default '';
update collections set outdated = documents;
