-- The name of the embedding model of a collection, '': the default one.
alter table collections add column embedder text not null default '';
