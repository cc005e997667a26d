-- how many tokens a passage of the collection has at most; 0: what suits the embedding model
alter table collections add column passage_tokens integer not null default 0;
