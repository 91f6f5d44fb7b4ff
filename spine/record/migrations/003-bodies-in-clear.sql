-- online
create index fact_in_clear on fact (id) where body_sealed is null;
create index parked_fact_in_clear on parked_fact (id) where fact_sealed is null;
