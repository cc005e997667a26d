-- The library of prompts and reasoning presets. Versions are only ever added, and removed with their prompt.
create table prompts (
    id text primary key,
    name text not null collate nocase unique,
    kind text not null check (kind in ('prompt', 'reasoning')),
    created real not null,
    tags text not null
) without rowid;
create table prompt_versions (
    prompt text not null references prompts (id) on delete cascade,
    number integer not null,
    hash text not null,
    created real not null,
    note text not null,
    content text not null,
    primary key (prompt, number)
);
create trigger prompt_versions_never_change before update on prompt_versions begin
    select raise(abort, 'versions of prompts never change');
end;
