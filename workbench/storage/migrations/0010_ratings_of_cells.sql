-- What a person thinks of an answer of an evaluation: 1 good, -1 bad, 0 nothing; a judge is compared with it.
alter table cells add column rating integer not null default 0;
