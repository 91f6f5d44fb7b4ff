create table fact (
    id uuid primary key,
    kind text not null,
    subject_kind text not null,
    subject uuid not null,
    occurred_at bigint not null,
    recorded_at bigint not null,
    received_at bigint not null,
    clock_fault boolean not null,
    place bigint not null,
    place_sequence bigint not null,
    author uuid not null,
    source text not null,
    corrects uuid,
    body text not null
);
create unique index fact_by_place on fact (place, place_sequence);
create index fact_by_receipt on fact (received_at, place, place_sequence);
create index fact_by_subject on fact (subject, occurred_at);

create table place_sequence (
    place bigint primary key,
    last bigint not null
);

create table parked_fact (
    id uuid primary key,
    parked_at bigint not null,
    place bigint not null,
    reason text not null,
    fact text not null,
    resolved_at bigint,
    resolved_by uuid,
    resolution text
);
create index parked_fact_by_place on parked_fact (place, parked_at);
