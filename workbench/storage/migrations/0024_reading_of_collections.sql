-- How many documents of a collection were read when less was taken from files: all of those that there are now.
alter table collections add column outdated integer not null default 0;
update collections set outdated = documents;
