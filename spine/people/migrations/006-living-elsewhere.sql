-- online
create index person_living_elsewhere on person (home, id) where living is not null;
