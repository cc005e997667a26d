-- All the answers that were made at once, and which of them is the message's text. The trace is what the model was shown
-- and said, as token ids, compressed (storage/traces.py): it is read only when somebody looks into the answer.
alter table messages add column sequences text not null default '[]';
alter table messages add column kept integer not null default 0;
alter table messages add column trace blob;
