-- Where the words or lines of a recognised page are on it. One record of 14 bytes for each, little-endian: the start in
-- the page's text (4 bytes), the length (2), and left, top, right, bottom (2 each) in 65,535ths of the page's width and
-- height from its top left. Pages that were recognised before have none: their documents say so.
create table places (
    document integer not null references documents (number) on delete cascade,
    page integer not null,
    words blob not null,
    primary key (document, page)
) strict, without rowid;
