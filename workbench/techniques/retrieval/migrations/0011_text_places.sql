-- The places that a chunk's text is at, as a person finds them in the original (pages, sheets, sections, rows, lines), as
-- JSON: the records of records/places.py. Empty for chunks that were read before.
alter table chunks add column places text not null default '';
