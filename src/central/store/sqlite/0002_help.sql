-- Calls for help, tested buttons, and the boot clock of reasons.

create table help_calls (
    site        text not null,
    entry       blob not null,
    terminal    text not null,
    touchpoint  text not null,
    lang        text not null,
    at          integer not null,
    time_basis  text not null,
    received_at integer not null,
    late        integer not null,
    answered_at integer,
    primary key (site, entry)
) strict, without rowid;

create index help_calls_received on help_calls (site, received_at);
create index help_calls_open on help_calls (site, at) where late = 0 and answered_at is null;

-- When each button of a terminal was last tested.
create table self_tests (
    site        text not null,
    terminal    text not null,
    target      text not null,
    at          integer not null,
    primary key (site, terminal, target)
) strict, without rowid;

-- A boot of zeroes: stored before the boot was kept; such reasons are ordered by place and arrival alone.
alter table reasons add column boot blob not null default x'00000000000000000000000000000000';
alter table reasons add column up_ms integer not null default 0;
