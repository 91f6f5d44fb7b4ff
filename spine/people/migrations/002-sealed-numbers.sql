-- Identity and telephone numbers sealed, and keyed digests by which they are found. The columns in clear are emptied
-- once the numbers are sealed; they go with a later release.
alter table person add column id_number_sealed bytea;
alter table person add column id_number_digest bytea;
alter table person add column last_four_digest bigint;
alter table person add column phone_sealed bytea;
alter table person add column phone_digest bytea;
alter table person add column phone_tail_digest bigint;
drop index person_by_id_number;
drop index person_by_last_four;
drop index person_by_phone_tail;
