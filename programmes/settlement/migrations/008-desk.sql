create index bill_by_institution on bill (institution, discharged_on);
