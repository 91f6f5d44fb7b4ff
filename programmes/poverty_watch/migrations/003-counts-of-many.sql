-- warning_counts begins with home too; with both, counts by stage went through the one that holds nothing else.
drop index warning_by_home;
-- How warnings ended, and which wait too long: few of many.
create index warning_ended on warning (home, outcome, decided_on, opened_on) where outcome is not null;
create index warning_waiting on warning (opened_on, home) where outcome is null;
create index warning_by_stage on warning (stage, home, level, opened_on) where closed_on is null;
