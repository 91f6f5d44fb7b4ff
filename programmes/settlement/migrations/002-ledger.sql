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

create table touched_year (
    person uuid not null,
    insurance_year bigint not null,
    home bigint not null,
    fact uuid not null,
    touched_at bigint not null,
    primary key (person, insurance_year)
);
create index touched_year_by_home on touched_year (home, insurance_year);

create table closed_year (
    place bigint not null,
    insurance_year bigint not null,
    fact uuid not null,
    is_closed boolean not null,
    changed_at bigint not null,
    decided_by text not null,
    reason text not null,
    primary key (place, insurance_year)
);

create table late_bill (
    id uuid primary key,
    fact uuid not null,
    number text not null,
    person uuid not null,
    home bigint not null,
    institution uuid not null,
    insurance_year bigint not null,
    total bigint not null,
    handed_in_at bigint not null
);
create index late_bill_by_number on late_bill (institution, number);
create index late_bill_by_home on late_bill (home, handed_in_at);
