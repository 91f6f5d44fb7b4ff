-- Hubs: servers of a clinic day that act upstream as a phone does. Null: it is a phone.
alter table phone add column is_hub boolean;
-- Who works at which hub: who agreed to it, with the code by which they first sign in there.
create table hub_staff (
    hub uuid not null,
    account uuid not null,
    code_hash text,
    code_until bigint,
    joined_at bigint not null,
    left_at bigint,
    primary key (hub, account)
);
