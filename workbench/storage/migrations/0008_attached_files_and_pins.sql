-- The files attached to a chat are a collection that serves that chat alone and goes with it. Its name is its id.
alter table collections add column chat text references chats (id) on delete cascade;
create unique index collection_of_chat on collections (chat) where chat is not null;
-- Pinned chats stand first in the history.
alter table chats add column pinned integer not null default 0;
