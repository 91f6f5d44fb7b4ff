create table what_if_bill (
    bill uuid primary key,
    person uuid not null,
    household uuid not null,
    home bigint not null,
    insurance_year bigint not null,
    admitted_on bigint not null,
    discharged_on bigint not null,
    received_at bigint not null,
    total bigint not null,
    compliant bigint not null,
    already_paid bigint not null,
    diagnosis text,
    treated text not null,
    fees text,
    holder text,
    birth bigint,
    sex text,
    own bigint not null
);
create index what_if_bill_by_year on what_if_bill (insurance_year);

create table what_if_run (
    id uuid primary key,
    place bigint not null,
    insurance_year bigint not null,
    account uuid not null,
    name text not null,
    begun_at bigint not null,
    touched_at bigint not null,
    changes text not null,
    law text not null,
    state text not null,
    bills_read bigint not null,
    bills_in_all bigint not null,
    result text
);
create index what_if_run_by_place on what_if_run (place, begun_at);

create table what_if_person (
    run uuid not null,
    person uuid not null,
    household uuid not null,
    home bigint not null,
    label text not null,
    own_before bigint not null,
    own_after bigint not null,
    difference bigint not null
);
create index what_if_person_by_run on what_if_person (run, difference);

create table what_if_household (
    run uuid not null,
    household uuid not null,
    home bigint not null,
    own_before bigint not null,
    own_after bigint not null,
    line bigint not null,
    is_newly_over boolean not null
);
create index what_if_household_by_run on what_if_household (run, is_newly_over);
