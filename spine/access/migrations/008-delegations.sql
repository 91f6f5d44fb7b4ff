-- Who stands in for whom, and until when: leave, illness, a course.
create table delegation (
    id uuid primary key,
    of_account uuid not null,
    to_account uuid not null,
    from_at bigint not null,
    until_at bigint not null,
    reason text not null,
    made_at bigint not null,
    made_by uuid,
    ended_at bigint
);
create index delegation_by_of on delegation (of_account, until_at);
create index delegation_by_to on delegation (to_account, until_at);

-- In whose place a session works; null: in one's own.
alter table session add column delegation uuid;
