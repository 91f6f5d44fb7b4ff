create table bill (
    id uuid primary key,
    fact uuid not null,
    content bigint not null,
    number text not null,
    person uuid not null,
    household uuid not null,
    home bigint not null,
    institution uuid not null,
    insurance_year bigint not null,
    admitted_on bigint not null,
    discharged_on bigint not null,
    received_at bigint not null,
    setting text not null,
    diagnosis text,
    total bigint not null,
    compliant bigint not null,
    own bigint not null,
    own_uncovered bigint not null,
    paid_insurance bigint not null,
    waived bigint not null,
    state text not null,
    receipt uuid,
    result bigint,
    closing uuid
);
create index bill_by_number on bill (institution, number);
create index bill_by_person on bill (person, discharged_on);
create index bill_by_home on bill (home, discharged_on);
create index bill_by_day on bill (discharged_on, home, id);
create index bill_received on bill (person, insurance_year, home) where state = 'received';
create index bill_unsettled on bill (state, home) where state <> 'settled';

create table bill_payment (
    bill uuid not null,
    layer text not null,
    payer text not null,
    kind text not null,
    paid bigint not null
);
create index bill_payment_by_bill on bill_payment (bill);

create table bill_sum (
    home bigint not null,
    insurance_year bigint not null,
    bills bigint not null,
    total bigint not null,
    compliant bigint not null,
    own bigint not null,
    own_uncovered bigint not null,
    waived bigint not null,
    primary key (home, insurance_year)
);

create table payer_sum (
    home bigint not null,
    insurance_year bigint not null,
    kind text not null,
    payer text not null,
    paid bigint not null,
    primary key (home, insurance_year, kind, payer)
);

create table opening (
    person uuid not null,
    insurance_year bigint not null,
    fact uuid not null,
    home bigint not null,
    used text not null,
    primary key (person, insurance_year)
);

create table admission (
    id uuid primary key,
    person uuid not null,
    household uuid not null,
    home bigint not null,
    institution uuid not null,
    admitted_on bigint not null,
    emergency boolean not null,
    entitled boolean not null,
    why_not text,
    labels text not null,
    admitted_at bigint not null,
    author uuid not null
);
create index admission_by_person on admission (person, admitted_on);
create index admission_by_home on admission (home, admitted_on);
