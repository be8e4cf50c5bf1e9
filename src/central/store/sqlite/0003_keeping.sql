-- The key that belongs to this store, kept counts of each journal, calls folded into one line, what a terminal asks about, and what
-- places and questions were called when they were last configured.

alter table store_info add column public_key text;

alter table chains add column quarantined integer not null default 0;
alter table chains add column withheld integer not null default 0;
update chains set
    quarantined = (select count(*) from entries e where e.site = chains.site and e.chain = chains.chain and e.state = 'quarantined'),
    withheld = (select count(*) from entries e where e.site = chains.site and e.chain = chains.chain and e.state = 'withheld');

alter table help_calls add column folded integer not null default 0;
drop index help_calls_open;
create index help_calls_open on help_calls (site, received_at) where late = 0 and answered_at is null;
create index help_calls_folded on help_calls (site, terminal, received_at) where folded = 1;

-- The touchpoints a terminal last said that it asks about, as JSON, and when it said so.
alter table terminals add column told text;
alter table terminals add column told_at integer;

-- The terminal's own clock at its last request: one that is played back is not heard of again.
alter table terminals add column last_boot blob;
alter table terminals add column last_up integer;

-- What was configured once: the history of a closed place keeps its name and its questions.
create table places (
    site          text not null,
    touchpoint    text not null,
    stage         text not null,
    names         text not null,
    questionnaire text not null,
    last_at       integer not null,
    primary key (site, touchpoint)
) strict, without rowid;

create table questionnaires (
    site          text not null,
    questionnaire text not null,
    questions     text not null,
    last_at       integer not null,
    primary key (site, questionnaire)
) strict, without rowid;

-- Times that a broken clock made up: an earlier version stored them, and they cannot be shown.
delete from self_tests where at not between 946684800000 and 253402300799000;
