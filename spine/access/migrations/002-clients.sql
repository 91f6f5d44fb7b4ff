create table client (
    id uuid primary key,
    name text not null,
    institution uuid not null,
    place bigint not null,
    created_at bigint not null,
    created_by uuid,
    closed_at bigint
);
create index client_by_place on client (place);

create table client_key (
    hash bytea primary key,
    client uuid not null,
    hint text not null,
    made_at bigint not null,
    expires_at bigint not null,
    revoked_at bigint,
    seen_at bigint
);
create index client_key_by_client on client_key (client, made_at);
