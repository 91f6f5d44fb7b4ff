-- Who lives elsewhere than registered, and which place was asked to take their care over. How one stands on a day is asked of the day.
create table hand_over (
    id uuid primary key,
    person uuid not null,
    home bigint not null,
    living bigint not null,
    side text not null,
    asked_on bigint not null,
    answer text not null,
    from_on bigint,
    ended_on bigint,
    ended_why text not null
);
create index hand_over_by_person on hand_over (person);
create index hand_over_by_home on hand_over (home, ended_on);
create index hand_over_by_living on hand_over (living, ended_on);
