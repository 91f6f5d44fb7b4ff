-- Phones that work without a network: whose, what opens them, and whether they are to be emptied.
create table phone (
    id uuid primary key,
    account uuid not null,
    name text not null,
    key_hash bytea not null,
    proof_hash bytea not null,
    share_sealed bytea,
    data_key_sealed bytea,
    wrong_tries bigint not null,
    created_at bigint not null,
    seen_at bigint,
    wiped_at bigint,
    wiped_by uuid
);
create unique index phone_by_key on phone (key_hash);
create index phone_by_account on phone (account);
