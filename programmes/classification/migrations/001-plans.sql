create table diagnosis (
    id uuid primary key,
    person uuid not null,
    code text not null,
    system text not null,
    name text not null,
    from_day bigint not null,
    to_day bigint,
    institution text not null,
    origin text not null,
    drug_resistant boolean not null,
    sensitive boolean not null,
    major text,
    fact uuid not null,
    home bigint not null
);
create index diagnosis_by_person on diagnosis (person);
create index diagnosis_by_day on diagnosis (home, from_day);

create table plan (
    person uuid primary key,
    plan text not null,
    why text not null,
    disease text,
    disease_zh text not null,
    disease_en text not null,
    code text not null,
    diagnosed_on bigint not null,
    sensitive boolean not null,
    note text not null,
    since bigint not null,
    home bigint not null
);
create index plan_by_place on plan (home, plan);
create index plan_by_kind on plan (plan, since);

create table plan_change (
    id uuid primary key,
    person uuid not null,
    on_day bigint not null,
    before text,
    after text,
    why text not null,
    disease_zh text not null,
    disease_en text not null,
    code text not null,
    diagnosed_on bigint,
    sensitive boolean not null,
    note text not null,
    home bigint not null
);
create index plan_change_by_person on plan_change (person, on_day);

create table plan_decision (
    person uuid primary key,
    plan text not null,
    reason text not null,
    decided_by text not null,
    decided_on bigint not null,
    home bigint not null
);
