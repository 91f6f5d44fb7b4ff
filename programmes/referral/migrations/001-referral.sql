create table referral (
    id uuid primary key,
    person uuid not null,
    home bigint not null,
    sensitive boolean not null,
    direction text not null,
    urgency text not null,
    from_institution uuid,
    from_place bigint not null,
    to_institution uuid,
    to_tier text not null,
    to_place bigint not null,
    stage text not null,
    waits_since bigint not null,
    opened_on bigint not null,
    answered_on bigint,
    accepted boolean,
    arrived_on bigint,
    closed_on bigint,
    outcome text not null
);
create index referral_by_person on referral (person);
create index referral_by_place on referral (home, opened_on);
create index referral_by_asked on referral (to_institution, stage);
create index referral_by_asked_place on referral (to_place, stage);
create index referral_by_sender on referral (from_institution, stage);
-- Visits that came to a referral, and what followed.
create table referral_wanted (
    visit uuid not null,
    person uuid not null,
    home bigint not null,
    sensitive boolean not null,
    urgency text not null,
    programmes text not null,
    visited_on bigint not null,
    handled text not null,
    primary key (person, visit)
);
create index referral_wanted_by_place on referral_wanted (home, visited_on);
