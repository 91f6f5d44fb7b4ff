-- online
create index relation_by_place on relation (place, until_at) where place is not null;
