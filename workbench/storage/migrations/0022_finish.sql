-- Why an answer ended (records/messages.py: Finish); null where it is not known.
alter table messages add column finish text;

-- Whether an evaluation's answer was ended since it repeated itself.
alter table cells add column looped integer not null default 0;
