-- At a hub: its link upstream, one row.
create table hub_link (
    hub uuid primary key,
    upstream text not null,
    name text not null,
    place bigint not null,
    key_sealed bytea,
    cursor text not null,
    last_sequence bigint not null,
    last_chain bytea not null,
    collected_at bigint not null,
    heard_at bigint,
    trouble text not null,
    wiped_at bigint
);
-- At a hub: what was written here, numbered for upstream, and what was answered. Kept for as long as upstream may have to be
-- told again: sealed.
create table hub_out (
    fact uuid primary key,
    sequence bigint not null,
    person uuid not null,
    kind text not null,
    chain bytea not null,
    text_sealed bytea,
    written_at bigint not null,
    outcome text,
    reason text not null,
    said text not null,
    seen_at bigint
);
create unique index hub_out_by_sequence on hub_out (sequence);
create index hub_out_by_person on hub_out (person);
-- At a hub: facts of the kinds that are handed on which upstream told, so that they are not handed back.
create table hub_told (
    fact uuid primary key,
    person uuid not null
);
create index hub_told_by_person on hub_told (person);
-- At a hub: of whom it must be told anew.
create table hub_stale (
    person uuid primary key
);
