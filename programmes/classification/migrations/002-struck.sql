create table diagnosis_struck (
    id uuid primary key,
    diagnosis uuid not null,
    person uuid not null,
    code text not null,
    name text not null,
    from_day bigint not null,
    to_day bigint,
    withdrawn boolean not null,
    reason text not null,
    struck_by text not null,
    struck_on bigint not null,
    author uuid not null,
    sensitive boolean not null,
    home bigint not null
);
create index diagnosis_struck_by_person on diagnosis_struck (person);
