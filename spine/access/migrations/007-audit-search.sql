-- online
create index audit_row_by_place on audit_row (place, at);
create index audit_row_by_action on audit_row (action, at);
