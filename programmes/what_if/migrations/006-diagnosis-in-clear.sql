-- online
create index what_if_bill_diagnosis_in_clear on what_if_bill (bill) where diagnosis is not null;
