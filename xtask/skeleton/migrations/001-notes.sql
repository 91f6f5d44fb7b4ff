create table skeleton_note (
    id uuid primary key,
    place bigint not null,
    on_day bigint not null,
    note text not null
);
create index skeleton_note_by_place on skeleton_note (place, on_day);
