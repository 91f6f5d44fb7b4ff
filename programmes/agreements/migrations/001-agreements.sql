create table agreement (
    id uuid primary key,
    person uuid not null,
    home bigint not null,
    team uuid not null,
    offered_on bigint,
    signed_on bigint,
    from_on bigint,
    until_on bigint,
    ended_on bigint,
    end_reason text not null,
    renews uuid,
    renewed_on bigint,
    packages text not null,
    way text not null
);
create index agreement_by_person on agreement (person);
create index agreement_by_place on agreement (home, until_on);
create index agreement_by_team on agreement (team, until_on);

create table agreement_due (
    agreement uuid not null,
    item text not null,
    number bigint not null,
    person uuid not null,
    home bigint not null,
    from_on bigint not null,
    until_on bigint not null,
    done_on bigint,
    primary key (agreement, item, number)
);
create index agreement_due_by_place on agreement_due (home, until_on);
create index agreement_due_by_person on agreement_due (person);

create table agreement_paper (
    id uuid primary key,
    person uuid not null,
    home bigint not null,
    kind text not null,
    content_sealed bytea not null
);
create index agreement_paper_by_person on agreement_paper (person);

create table agreement_team (
    id uuid primary key,
    place bigint not null,
    name text not null,
    phone text not null,
    area text not null,
    from_on bigint not null,
    closed_on bigint
);
create index agreement_team_by_place on agreement_team (place);

create table agreement_team_member (
    id uuid primary key,
    team uuid not null,
    account uuid,
    name text not null,
    role text not null,
    phone text not null,
    leads boolean not null,
    from_on bigint not null,
    until_on bigint
);
create index agreement_team_member_by_team on agreement_team_member (team);
create index agreement_team_member_by_account on agreement_team_member (account);
