alter table policy_draft add column judging_at bigint;
alter table policy_draft add column judging_done bigint;
alter table policy_draft add column judging_all bigint;
