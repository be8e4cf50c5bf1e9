-- What was called an alarm is an incident: it tells that journals are not whole, or not of one machine. An alarm is about a score.
alter table alarms rename to incidents;

-- Entries waiting on a terminal, as it last reported: added up without reading the reports.
alter table terminals add column queue_depth integer not null default 0;
update terminals set queue_depth = coalesce(min(json_extract(health, '$.queue_depth'), 1 << 48), 0) where health is not null;
