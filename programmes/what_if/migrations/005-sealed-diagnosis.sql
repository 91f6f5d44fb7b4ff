-- The code of the diagnosis on a bill, sealed.
alter table what_if_bill add column diagnosis_sealed bytea;
