-- A relation of a place: whoever treats there reaches the person.
alter table relation add column place bigint;
