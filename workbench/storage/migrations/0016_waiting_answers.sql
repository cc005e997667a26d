-- An answer whose agent waits for a person, with the call that is asked about. SQLite cannot change a check constraint,
-- and building the table anew would lose columns of other migrations; its documentation allows this for constraints
-- (https://www.sqlite.org/lang_altertable.html#otheralter).
alter table messages add column waiting text;
pragma writable_schema = on;
update sqlite_schema set sql = replace(sql, "'failed', 'interrupted')", "'failed', 'interrupted', 'waiting')")
where type = 'table' and name = 'messages';
pragma writable_schema = reset;
-- The acting tools that a person has allowed in one chat.
alter table chats add column allowed text not null default '[]';
