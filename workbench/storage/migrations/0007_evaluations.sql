-- Question sets, and evaluations of recipes on them. An answer is stored once for its resolved recipe, question and seed
-- (`cell`), whichever evaluations show it; its scores are stored by scorer.
create table question_sets (
    id text primary key,
    name text not null collate nocase unique,
    created real not null,
    description text not null
) without rowid;
create table questions (
    question_set text not null references question_sets (id) on delete cascade,
    number integer not null,
    split text not null check (split in ('tune', 'held-out')),
    value text not null,
    primary key (question_set, number)
) without rowid;
create table evaluations (
    id text primary key,
    created real not null,
    value text not null
) without rowid;
create table evaluation_questions (
    evaluation text not null references evaluations (id) on delete cascade,
    number integer not null,
    split text not null,
    value text not null,
    primary key (evaluation, number)
) without rowid;
create table evaluation_grid (
    evaluation text not null references evaluations (id) on delete cascade,
    place integer not null, -- of the column
    number integer not null,
    cell text not null,
    primary key (evaluation, place, number)
) without rowid;
create index grid_of_cell on evaluation_grid (cell);
create table cells (
    id text primary key,
    created real not null,
    state text not null check (state in ('answered', 'declined', 'failed')),
    beginning text not null,
    prompt_tokens integer not null,
    new_tokens integer not null,
    seconds real not null,
    value blob not null
);
create table scores (
    cell text not null,
    scorer text not null,
    value real,
    note text not null default '',
    primary key (cell, scorer)
) without rowid;
