-- When a fact lost all that it said, by law, and when it lost what it said of somebody else. All else of it stays.
alter table fact add column erased_at bigint;
alter table fact add column cut_at bigint;
