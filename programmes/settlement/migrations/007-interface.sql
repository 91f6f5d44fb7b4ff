create table day_reconciliation (
    id uuid primary key,
    institution uuid not null,
    place bigint not null,
    day bigint not null,
    sent_at bigint not null,
    author uuid not null,
    has_lines boolean not null,
    funds_by text not null,
    theirs text not null,
    ours text not null,
    is_right boolean not null,
    lines bigint not null,
    different bigint not null,
    explained bigint not null,
    is_latest boolean not null
);
create index day_reconciliation_by_day on day_reconciliation (day, place);
create index day_reconciliation_by_institution on day_reconciliation (institution, day);

create table day_line (
    reconciliation uuid not null,
    position bigint not null,
    number text not null,
    bill uuid,
    theirs_status text,
    theirs_total bigint,
    theirs_own bigint,
    ours_status text,
    ours_total bigint,
    ours_own bigint,
    differences text not null,
    is_different boolean not null,
    reason text,
    explained_by uuid,
    explained_at bigint,
    primary key (reconciliation, position)
);
