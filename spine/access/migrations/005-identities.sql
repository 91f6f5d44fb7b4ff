-- Who somebody is at an identity provider, bound to an account by an administrator.
create table identity (
    issuer text not null,
    subject text not null,
    account uuid not null,
    bound_at bigint not null,
    bound_by uuid,
    primary key (issuer, subject)
);
create index identity_by_account on identity (account);

-- What a client's keys open; null: all that a client may do.
alter table client add column scopes text;
