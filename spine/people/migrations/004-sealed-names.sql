-- Names sealed, a keyed digest of each whole name, and one of every beginning of it and of its initials, by which it is found. The
-- columns in clear are emptied once the names are sealed; they go with a later release.
alter table person add column name_sealed bytea;
alter table person add column name_digest bigint;
create table person_name_key (
    name_key bigint not null,
    home bigint not null,
    person uuid not null,
    primary key (name_key, home, person)
);
create index person_name_key_by_person on person_name_key (person);
drop index person_by_home;
drop index person_by_name;
drop index person_by_initials;
drop index person_in_doubt;
