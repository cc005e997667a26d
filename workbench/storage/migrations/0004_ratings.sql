-- What a person thinks of an answer (1 good, -1 bad), and what the model had said where they wrote its text anew.
alter table messages add column rating integer not null default 0;
alter table messages add column original text;
