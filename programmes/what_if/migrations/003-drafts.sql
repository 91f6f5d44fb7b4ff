create table policy_draft (
    id uuid primary key,
    place bigint not null,
    title text not null,
    made_from bigint not null,
    state text not null,
    author uuid not null,
    author_name text not null,
    begun_at bigint not null,
    changed_at bigint not null,
    revision bigint not null,
    judged text,
    run uuid,
    publication bigint
);
create index policy_draft_by_place on policy_draft (place, changed_at);

create table policy_draft_file (
    draft uuid not null,
    path text not null,
    old text,
    body text,
    clash text,
    primary key (draft, path)
);

create table policy_draft_step (
    draft uuid not null,
    number bigint not null,
    at bigint not null,
    account uuid not null,
    name text not null,
    act text not null,
    reason text not null,
    primary key (draft, number)
);

create table policy_draft_mutant (
    draft uuid not null,
    mutant text not null,
    reason text not null,
    name text not null,
    primary key (draft, mutant)
);
