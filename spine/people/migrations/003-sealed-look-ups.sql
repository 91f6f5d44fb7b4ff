-- online
create index person_by_id_number_digest on person (id_number_digest);
create index person_by_last_four_digest on person (last_four_digest, home);
create index person_by_phone_digest on person (phone_digest, home);
create index person_by_phone_tail_digest on person (phone_tail_digest, home);
create index person_in_clear on person (id) where id_number is not null or phone is not null or digest <> 0;
