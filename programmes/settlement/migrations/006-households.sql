alter table opening add column household uuid;
create index opening_by_household on opening (household, insurance_year) where household is not null;
create index bill_by_household on bill (household, insurance_year);
