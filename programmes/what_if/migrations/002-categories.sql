alter table what_if_bill add column categories text;
