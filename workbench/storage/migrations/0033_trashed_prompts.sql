-- Prompts can be in the trash, too: trashed is the id of their entry, null while they are not.
alter table prompts add column trashed text;
