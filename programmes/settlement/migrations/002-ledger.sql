create table posting (
    fact uuid not null,
    bill uuid not null,
    person uuid not null,
    home bigint not null,
    insurance_year bigint not null,
    kind text not null,
    payer text not null,
    amount bigint not null,
    cause text,
    cause_fact uuid,
    cause_bill uuid,
    release text,
    posted_at bigint not null,
    posted_on bigint not null,
    place_sequence bigint not null
);
create index posting_by_bill on posting (bill);
create index posting_by_day on posting (posted_on, home);
