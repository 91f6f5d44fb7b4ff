create index warning_counts on warning (home, closed_on, level, stage, stage_since, opened_on, outcome, decided_on);
drop index warning_open;
create index warning_open on warning (level desc, opened_on, id, home, stage) where closed_on is null;
