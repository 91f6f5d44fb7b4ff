create table relation (
    id uuid primary key,
    person uuid not null,
    kind text not null,
    account uuid,
    institution uuid,
    from_at bigint not null,
    until_at bigint not null,
    source uuid not null
);
create index relation_by_person on relation (person, until_at);
create index relation_by_account on relation (account, until_at);
create index relation_by_source on relation (source);

create table break_glass (
    id uuid primary key,
    person uuid not null,
    home bigint not null,
    account uuid not null,
    role text not null,
    place bigint not null,
    reason text not null,
    asked_at bigint not null,
    until_at bigint not null,
    reviewed_at bigint,
    reviewed_by uuid,
    is_justified boolean,
    note text
);
create index break_glass_waiting on break_glass (home, asked_at) where reviewed_at is null;
create index break_glass_by_time on break_glass (asked_at);

create table break_glass_try (
    account uuid not null,
    tried_at bigint not null
);
create index break_glass_try_by_account on break_glass_try (account, tried_at);
