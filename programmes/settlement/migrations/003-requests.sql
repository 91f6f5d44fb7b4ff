create table request (
    caller uuid not null,
    key text not null,
    digest text not null,
    attempt bigint not null,
    state text not null,
    began_at bigint not null,
    bill uuid,
    answer text,
    primary key (caller, key)
);
create index request_by_time on request (began_at);
