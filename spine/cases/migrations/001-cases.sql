create table work_case (
    id uuid primary key,
    programme text not null,
    subject uuid not null,
    place bigint not null,
    stage text not null,
    stage_since bigint not null,
    opened_on bigint not null,
    closed_on bigint,
    outcome text,
    weight bigint not null
);
create index work_case_by_stage on work_case (programme, stage, place);
create index work_case_by_subject on work_case (subject, programme);
create index work_case_by_place on work_case (programme, place, opened_on);
