-- What tells a diagnosis of level 5, sealed together; the reason of a decision, which may name one.
alter table diagnosis add column told_sealed bytea;
alter table diagnosis add column major_sealed bytea;
alter table diagnosis_struck add column told_sealed bytea;
alter table plan add column told_sealed bytea;
alter table plan_change add column told_sealed bytea;
alter table plan_decision add column reason_sealed bytea;
