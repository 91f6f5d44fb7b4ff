-- Visits as they stand, for who oversees them: when, by whom, when written down, with which figures. What is of level 5 is not here.
create table follow_up_visit (
    id uuid not null,
    person uuid not null,
    home bigint not null,
    visited_on bigint not null,
    way text not null,
    author uuid not null,
    recorded_at bigint not null,
    source text not null,
    figures text not null,
    ends text not null,
    primary key (person, id)
);
create index follow_up_visit_by_place on follow_up_visit (home, visited_on);
create index follow_up_visit_by_person on follow_up_visit (person, visited_on);
