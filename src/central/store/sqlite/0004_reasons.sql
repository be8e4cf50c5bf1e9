-- Exact counts of reasons, and what people's questions read without looking at every row.

-- One row for each counted answer whose reasons were asked, with an empty reason, and one for each reason chosen: the recount that the
-- rollup must equal. A reason counts while its answer does and stands at the value it explains.
create view counted_reasons as
select a.site, a.response, a.touchpoint, a.questionnaire, a.question, a.scale, a.hour, a.flagged, a.value, '' as reason
from answers a join reasons r on r.site = a.site and r.response = a.response and r.question = a.question
where a.counted = 1 and a.value = r.value
union all
select distinct a.site, a.response, a.touchpoint, a.questionnaire, a.question, a.scale, a.hour, a.flagged, a.value, c.value
from answers a join reasons r on r.site = a.site and r.response = a.response and r.question = a.question, json_each(r.chosen) c
where a.counted = 1 and a.value = r.value;

create table reason_rollups (
    site          text not null,
    touchpoint    text not null,
    questionnaire text not null,
    question      text not null,
    scale         text not null,
    hour          integer not null,
    flagged       integer not null,
    value         integer not null,
    reason        text not null,
    n             integer not null,
    primary key (site, touchpoint, questionnaire, question, scale, hour, flagged, value, reason)
) strict, without rowid;

insert into reason_rollups
select site, touchpoint, questionnaire, question, scale, hour, flagged, value, reason, count(*)
from counted_reasons group by 1, 2, 3, 4, 5, 6, 7, 8, 9;

-- A day of all places without the years of each.
create index rollups_by_hour on rollups (site, hour, n);
create index reason_rollups_by_hour on reason_rollups (site, hour, n);

-- The export of a span of time, in its order.
create index answers_by_time on answers (site, at);

-- Counting what is withheld visits what is withheld.
create index entries_withheld on entries (site, chain, seq) where state = 'withheld';
