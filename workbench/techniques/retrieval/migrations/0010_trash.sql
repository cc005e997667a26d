-- Documents that were deleted and can be restored: all rows of one, with its vectors, compressed (trashed_documents.py).
create table trash (
    document text primary key,
    path text not null,
    embedder text,
    bytes integer not null,
    content blob not null
) strict;
