create table identity_candidate (
    one uuid not null,
    other uuid not null,
    found_on bigint not null,
    state text not null,
    reason text not null,
    decided_at bigint,
    decided_by uuid,
    primary key (one, other)
);
create index identity_candidate_waiting on identity_candidate (state, found_on);
create index identity_candidate_by_other on identity_candidate (other);
