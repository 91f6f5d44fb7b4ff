-- The code of the diagnosis on a bill, sealed.
alter table bill add column diagnosis_sealed bytea;
