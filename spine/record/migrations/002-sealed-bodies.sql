-- What facts say, sealed. A sealed fact leaves its text in clear empty; those columns go with a later release.
alter table fact add column body_sealed bytea;
alter table parked_fact add column fact_sealed bytea;
