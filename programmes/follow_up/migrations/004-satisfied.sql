-- How satisfied the patient said to be at the end of a visit; null where nobody asked.
alter table follow_up_visit add column satisfied text;
