create table own_payment (
    id uuid primary key,
    fact uuid not null,
    bill uuid not null,
    person uuid not null,
    home bigint not null,
    institution uuid not null,
    amount bigint not null,
    method text not null,
    receipt_year bigint not null,
    receipt_sequence bigint not null,
    paid_on bigint not null,
    paid_at bigint not null,
    author uuid not null,
    taken_back uuid
);
create index own_payment_by_bill on own_payment (bill);
create index own_payment_by_receipt on own_payment (institution, receipt_year, receipt_sequence);

create table own_share (
    bill uuid primary key,
    person uuid not null,
    home bigint not null,
    institution uuid not null,
    discharged_on bigint not null,
    own bigint not null,
    paid bigint not null,
    written_off bigint not null,
    open bigint not null,
    next_due bigint,
    agreement uuid
);
create index own_share_by_due on own_share (next_due, home, bill) where next_due is not null;
create index own_share_by_home on own_share (home, discharged_on);
create index own_share_by_day on own_share (discharged_on, home, bill);
create index own_share_by_person on own_share (person);
create index own_share_refund on own_share (home) where open < 0;

create table own_share_due (
    bill uuid not null,
    number bigint not null,
    home bigint not null,
    institution uuid not null,
    due_on bigint not null,
    amount bigint not null,
    open bigint not null,
    closed_on bigint,
    primary key (bill, number)
);
create index own_share_due_open on own_share_due (home, due_on) where open > 0;
create index own_share_due_by_day on own_share_due (due_on, home);

create table own_share_asked (
    bill uuid not null
);

create table write_off (
    id uuid primary key,
    bill uuid not null,
    person uuid not null,
    home bigint not null,
    institution uuid not null,
    amount bigint not null,
    reason text not null,
    evidence text not null,
    asked_at bigint not null,
    asked_by uuid not null,
    state text not null,
    bearer text,
    decided_on bigint,
    decided_by uuid,
    decided_reason text
);
create index write_off_by_bill on write_off (bill);
create index write_off_by_state on write_off (state, home);

create table suspension (
    id uuid primary key,
    person uuid not null,
    home bigint not null,
    suspended_on bigint not null,
    suspended_by uuid not null,
    overdue bigint not null,
    reason text not null,
    appealed_on bigint,
    appeal text,
    answered_on bigint,
    answer text,
    lifted_on bigint,
    state text not null
);
create index suspension_by_person on suspension (person);
create index suspension_by_home on suspension (home, suspended_on);
