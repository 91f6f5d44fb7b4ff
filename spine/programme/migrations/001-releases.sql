create table policy_text (
    hash text primary key,
    body text not null
);

create table policy_release (
    hash text primary key,
    kept_at bigint not null
);

create table policy_release_file (
    release text not null,
    path text not null,
    body text not null,
    primary key (release, path)
);

create table policy_publication (
    number bigint primary key,
    release text not null,
    made_from text not null,
    place bigint not null,
    title text not null,
    touches text not null,
    author uuid not null,
    author_name text not null,
    approver uuid not null,
    approver_name text not null,
    published_at bigint not null,
    told text not null
);

create table policy_publication_file (
    number bigint not null,
    path text not null,
    base text,
    body text,
    primary key (number, path)
);
create index policy_publication_file_by_path on policy_publication_file (path, number);
