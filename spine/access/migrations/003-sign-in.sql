-- Until when a password that somebody else set may be used to choose one's own; null: it is one's own.
alter table account add column one_time_until bigint;

-- Where and how somebody signed in, and how many wrong tries came before.
alter table session add column address text;
alter table session add column device text;
alter table session add column method text;
alter table session add column second_factor_at bigint;
alter table session add column failures_before bigint;

create table set_up_code (
    hash bytea primary key,
    made_at bigint not null,
    expires_at bigint not null,
    used_at bigint
);

create table second_factor (
    account uuid primary key,
    secret bytea not null,
    made_at bigint not null,
    confirmed_at bigint,
    last_step bigint
);

create table recovery_code (
    hash bytea primary key,
    account uuid not null,
    made_at bigint not null,
    used_at bigint
);
create index recovery_code_by_account on recovery_code (account);
