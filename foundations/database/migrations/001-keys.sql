create table seal_key (
    number bigint primary key,
    cipher text not null,
    wrapped bytea not null,
    made_at bigint not null
);

create table seal_step (
    name text primary key,
    done_at bigint not null
);
