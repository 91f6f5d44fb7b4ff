create table follow_up (
    id uuid primary key,
    person uuid not null,
    home bigint not null,
    sensitive boolean not null,
    programme text not null,
    enrolled_on bigint not null,
    closed_on bigint,
    last_on bigint,
    state text not null,
    grade bigint not null,
    at_target boolean,
    figures text not null,
    due_on bigint,
    due_why text not null,
    missed bigint not null,
    missed_why text not null,
    again_on bigint,
    told_sealed bytea
);
create index follow_up_by_person on follow_up (person);
create index follow_up_by_place on follow_up (home, due_on);
