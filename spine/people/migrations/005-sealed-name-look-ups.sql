-- online
create index person_by_home on person (home, household, id);
create index person_by_name_digest on person (name_digest, birth);
create index person_name_in_clear on person (id) where name <> '';
