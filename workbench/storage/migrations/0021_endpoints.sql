-- A model that is computed elsewhere (records/endpoints.py: Endpoint), as JSON; null for one on this disk.
alter table models add column endpoint text;

-- Whether passages of a collection may be sent to a host. No row: the person has not been asked.
create table sending (
    collection text not null,
    host text not null,
    allowed integer not null,
    decided real not null,
    primary key (collection, host)
) strict;

-- Tokens that were computed by an endpoint, for its budget.
create table endpoint_usage (
    model text not null,
    at real not null,
    prompt_tokens integer not null,
    new_tokens integer not null,
    cost real not null
) strict;
create index endpoint_usage_model on endpoint_usage (model);
