create table account (
    id uuid primary key,
    sign_in_name text not null unique,
    display_name text not null,
    role text not null,
    place bigint not null,
    institution uuid,
    password_hash text not null,
    created_at bigint not null,
    closed_at bigint,
    failures bigint not null,
    locked_until bigint
);
create index account_by_place on account (place);

create table session (
    token_hash bytea primary key,
    account uuid not null,
    csrf text not null,
    opened_at bigint not null,
    seen_at bigint not null,
    ended_at bigint
);
create index session_by_account on session (account);

create table audit_row (
    id uuid primary key,
    at bigint not null,
    account uuid,
    role text not null,
    action text not null,
    subject uuid,
    place bigint not null,
    reason text not null,
    outcome text not null
);
create index audit_row_by_time on audit_row (at);
create index audit_row_by_subject on audit_row (subject, at);
create index audit_row_by_account on audit_row (account, at);
