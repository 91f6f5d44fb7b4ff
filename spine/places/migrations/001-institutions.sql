create table institution (
    id uuid primary key,
    code text not null,
    name text not null,
    initials text not null,
    place bigint not null,
    tier text not null,
    grade text not null,
    kind text not null,
    phone text,
    opened bigint,
    closed bigint,
    digest bigint not null
);
create index institution_by_code on institution (code);
create index institution_by_place on institution (place, code);
create index institution_by_name on institution (name);
create index institution_by_initials on institution (initials);

create table institution_capability (
    institution uuid not null,
    capability text not null,
    place bigint not null
);
create index institution_capability_by_institution on institution_capability (institution);
create index institution_capability_by_place on institution_capability (capability, place);
