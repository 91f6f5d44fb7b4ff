-- What people asked about their own data. What they said stands in the facts, sealed.
create table rights_request (
    id uuid primary key,
    person uuid not null,
    wish text not null,
    ground text,
    asked_on bigint not null,
    asked_by uuid not null,
    state text not null,
    answered_on bigint,
    answered_by uuid
);
create index rights_request_by_person on rights_request (person);
create index rights_request_waiting on rights_request (asked_on, id) where state = 'waiting';
create index rights_request_by_day on rights_request (asked_on, id);

-- That somebody was erased, and who decided it; nothing here says who it was.
create table erasure (
    id uuid primary key,
    place bigint not null,
    ground text not null,
    asked_on bigint not null,
    asked_by uuid not null,
    erased_on bigint not null,
    erased_by uuid not null,
    facts bigint not null
);
create index erasure_by_place on erasure (place, erased_on);
