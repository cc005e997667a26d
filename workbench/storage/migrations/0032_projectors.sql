-- The image encoder (mmproj file) that is loaded with a model; empty for none.
alter table models add column projector text not null default '';
