-- Visits that were drawn to be asked about, and what was found. What is of level 5 is not here: it is not drawn.
create table follow_up_check (
    id uuid primary key,
    sample uuid not null,
    person uuid not null,
    visit uuid not null,
    drawn_on bigint not null,
    outcome text not null,
    checked_on bigint
);
create index follow_up_check_by_visit on follow_up_check (person, visit);
create index follow_up_check_by_sample on follow_up_check (sample);
