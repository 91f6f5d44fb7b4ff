-- 联系不上: since when calls and ways were in vain.
alter table follow_up add column unreached_since bigint;
