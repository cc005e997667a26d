-- A folder of chats may be a project: what its new chats begin with (a stored value, records/projects.py).
alter table chat_folders add column project text;
