-- From where, by which page or operation, and the mark that the program puts on a line.
alter table audit_row add column address text;
alter table audit_row add column asked text;
alter table audit_row add column mark bytea;

-- The chain: each line of the trail in its place, with a keyed hash over it and over the link before it.
create table audit_link (
    ordinal bigint primary key,
    line uuid not null unique,
    previous bytea not null,
    hash bytea not null
);

-- Lines that are not in the chain yet.
create table audit_waiting (
    line uuid primary key
);
