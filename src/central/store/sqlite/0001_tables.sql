-- The first schema of central's store.
--
-- The site is the first column of every key and part of every statement, no unique key leaves it out, and nothing is done by trigger or by
-- a database-wide sequence: the same tables can be distributed by site. Times are Unix milliseconds, hours Unix seconds of the start of the
-- site-local hour, -1 where the hour is unknown (zero is a real hour, and a key column may not be null).

create table store_info (
    one         integer primary key check (one = 1),
    store       text not null,
    made_at     integer not null
) strict;

create table enrolment_codes (
    site        text not null,
    code_hash   blob not null,
    touchpoint  text not null,
    made_at     integer not null,
    expires_at  integer not null,
    used_at     integer,
    terminal    text,
    primary key (site, code_hash)
) strict, without rowid;

create table terminals (
    site        text not null,
    terminal    text not null,
    public_key  text not null,
    hardware_id text not null,
    software    text not null,
    enrolled_at integer not null,
    revoked_at  integer,
    last_seen   integer,
    health      text,
    health_at   integer,
    primary key (site, terminal)
) strict, without rowid;

-- Which touchpoint a terminal stood at, by date: moving a terminal adds a row.
create table assignments (
    site        text not null,
    terminal    text not null,
    from_at     integer not null,
    touchpoint  text not null,
    primary key (site, terminal, from_at)
) strict, without rowid;

-- One row a journal: how far its unbroken prefix goes, and the hash there.
create table chains (
    site             text not null,
    chain            blob not null,
    terminal         text not null,
    accepted_through integer not null,
    head_hash        blob not null,
    last_known_at    integer,
    first_received   integer not null,
    last_received    integer not null,
    primary key (site, chain)
) strict, without rowid;

create table entries (
    site        text not null,
    chain       blob not null,
    seq         integer not null,
    hash        blob not null,
    line        blob,
    leaf        blob,
    received_at integer not null,
    at          integer,
    time_basis  text,
    state       text not null,
    reason      text,
    primary key (site, chain, seq),
    check ((line is null) <> (leaf is null))
) strict;

create index entries_quarantined on entries (site, chain, seq) where state = 'quarantined';

create table entry_ids (
    site        text not null,
    entry       blob not null,
    chain       blob not null,
    seq         integer not null,
    primary key (site, entry)
) strict, without rowid;

create table responses (
    site        text not null,
    response    blob not null,
    terminal    text not null,
    touchpoint  text,
    outcome     text,
    replaces    blob,
    first_at    integer not null,
    primary key (site, response)
) strict, without rowid;

create table answers (
    site          text not null,
    response      blob not null,
    question      text not null,
    touchpoint    text not null,
    questionnaire text not null,
    scale         text not null,
    value         integer not null,
    lang          text not null,
    shown_ms      integer,
    flags         text not null,
    flagged       integer not null,
    counted       integer not null,
    terminal      text not null,
    chain         blob not null,
    seq           integer not null,
    received_at   integer not null,
    boot          blob not null,
    up_ms         integer not null,
    at            integer not null,
    time_basis    text not null,
    hour          integer not null,
    primary key (site, response, question)
) strict, without rowid;

create index answers_undated on answers (site, boot) where hour = -1;

create table reasons (
    site          text not null,
    response      blob not null,
    question      text not null,
    touchpoint    text not null,
    questionnaire text not null,
    value         integer not null,
    chosen        text not null,
    lang          text not null,
    chain         blob not null,
    seq           integer not null,
    received_at   integer not null,
    primary key (site, response, question)
) strict, without rowid;

-- Exact counts. They only ever change by an addition, so late and repeated entries cannot bend them.
create table rollups (
    site          text not null,
    touchpoint    text not null,
    questionnaire text not null,
    question      text not null,
    scale         text not null,
    hour          integer not null,
    flagged       integer not null,
    value         integer not null,
    n             integer not null,
    primary key (site, touchpoint, questionnaire, question, scale, hour, flagged, value)
) strict, without rowid;

-- The signed head of every batch: with the stored lines it is what an auditor recomputes. `content` is the body as it was sent, kept only
-- where it cannot be made again from the header line and the stored lines: where it was compressed, or lines were withheld.
create table checkpoints (
    site            text not null,
    chain           blob not null,
    seq             integer not null,
    first_seq       integer not null,
    head_hash       blob not null,
    terminal        text not null,
    public_key      text not null,
    received_at     integer not null,
    signed_headers  text not null,
    header_line     blob not null,
    content         blob,
    primary key (site, chain, seq, first_seq)
) strict, without rowid;

-- When a boot of a terminal began, in Unix milliseconds; the first trusted knowledge stays.
create table boots (
    site        text not null,
    terminal    text not null,
    boot        blob not null,
    began_at    integer not null,
    learnt_from text not null,
    primary key (site, terminal, boot)
) strict, without rowid;

create table alarms (
    site        text not null,
    kind        text not null,
    subject     text not null,
    terminal    text not null,
    first_at    integer not null,
    last_at     integer not null,
    times       integer not null,
    detail      text not null,
    primary key (site, kind, subject, terminal)
) strict, without rowid;
