-- Chunks whose text was recognised in a picture (OCR). Of documents that were read before it is not known which: all are.
alter table chunks add column recognised integer not null default 0;
update chunks set recognised = 1
where document in (select number from documents where instr(reason, 'text recognition (OCR)'));
