create table household (
    id uuid primary key,
    number text not null,
    place bigint not null,
    head uuid,
    address text,
    income bigint,
    income_year bigint,
    digest bigint not null
);
create index household_by_number on household (place, number);

create table person (
    id uuid primary key,
    household uuid not null,
    relation text,
    name text not null,
    initials text not null,
    id_number text,
    id_kind text,
    last_four text,
    sex text,
    birth bigint,
    ethnicity text,
    home bigint not null,
    living bigint,
    phone text,
    phone_tail text,
    enrolment text,
    died_on bigint,
    marks text not null,
    same_as uuid,
    digest bigint not null
);
create index person_by_id_number on person (id_number);
create index person_by_household on person (household);
create index person_by_home on person (home, name);
create index person_by_name on person (name, home);
create index person_by_initials on person (initials, home);
create index person_by_last_four on person (last_four, home);
create index person_by_phone_tail on person (phone_tail, home);
create index person_in_doubt on person (name, birth) where id_kind is null or id_kind <> 'Valid';
create index person_not_enrolled on person (home, id) where enrolment = 'not_enrolled';
create index person_marked on person (home, id) where marks <> '[]';
create index person_not_counted on person (home, id) where died_on is not null or same_as is not null;
create index person_same_as on person (same_as) where same_as is not null;

create table person_label (
    person uuid not null,
    label text not null,
    from_day bigint,
    to_day bigint,
    source text not null,
    home bigint not null
);
create index person_label_by_person on person_label (person);
create index person_label_by_place on person_label (label, home, person);
