-- online
create index bill_diagnosis_in_clear on bill (id) where diagnosis is not null;
