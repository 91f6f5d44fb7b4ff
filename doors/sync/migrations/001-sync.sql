-- What phones sent, one line for each number that a phone gave: so that a retry is answered as before and a gap is seen.
create table phone_fact (
    phone uuid not null,
    sequence bigint not null,
    fact uuid,
    digest bytea not null,
    chain bytea not null,
    is_broken boolean not null,
    outcome text not null,
    reason text not null,
    received_at bigint not null,
    primary key (phone, sequence)
);
-- Texts that were no facts, kept for whoever looks: sealed.
create table phone_text (
    id uuid primary key,
    phone uuid not null,
    sequence bigint not null,
    reason text not null,
    received_at bigint not null,
    text_sealed bytea
);
create index phone_text_by_phone on phone_text (phone, sequence);
