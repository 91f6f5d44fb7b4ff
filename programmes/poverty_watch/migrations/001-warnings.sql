create table warning (
    id uuid primary key,
    household uuid not null,
    home bigint not null,
    level bigint not null,
    stage text not null,
    stage_since bigint not null,
    opened_on bigint not null,
    closed_on bigint,
    outcome text,
    dismissed text,
    consent boolean,
    checked_on bigint,
    noticed_on bigint,
    decided_on bigint,
    fed_back_on bigint,
    as_of bigint not null,
    found text not null,
    evidence text not null,
    law text not null,
    last_step uuid,
    last_author uuid,
    last_on bigint,
    last_from text,
    last_since bigint
);
create index warning_by_household on warning (household);
create index warning_by_home on warning (home);
create index warning_open on warning (level desc, opened_on, id) where closed_on is null;
create index warning_by_day on warning (opened_on desc, id);
