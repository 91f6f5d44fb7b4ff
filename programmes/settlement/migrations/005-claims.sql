create table claim (
    id uuid primary key,
    institution uuid not null,
    place bigint not null,
    month_end bigint not null,
    lines bigint not null,
    amount bigint not null,
    cut bigint not null,
    bearer text not null,
    submitted_at bigint not null,
    submitted_by uuid not null,
    accepted bigint,
    reconciled_on bigint,
    reconciled_by uuid,
    reason text,
    paid_on bigint,
    reference text,
    state text not null
);
create index claim_by_institution on claim (institution, month_end);
create index claim_by_place on claim (place, month_end);

create table claim_line (
    claim uuid not null,
    bill uuid not null,
    institution uuid not null,
    amount bigint not null,
    cut bigint not null,
    reason text,
    primary key (claim, bill)
);
create index claim_line_by_bill on claim_line (bill);
