//! Numbers for Prometheus. The recorder is central's own, not the process's: a test or the demo may run several centrals.
//!
//! Every number is there from the start, so that a rule about it never waits for its first event, but for those of a route that nobody has
//! asked for. Labels have few values: routes as the router has them, statuses, methods. What the store cannot tell is not a number (NaN).

mod data_folder;
pub(super) mod requests;

use std::time::Duration;

use chrono::{DateTime, Utc};
use metrics::{
    Counter, Gauge, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
    with_local_recorder,
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusRecorder};

pub(super) use data_folder::DataFolder;

/// From a lookup to a request that is given up, in seconds.
const DURATION_BUCKETS: [f64; 13] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

/// Counters, and the recorder that renders them.
pub(super) struct Metrics {
    recorder: PrometheusRecorder,
    pub(super) batches: Counter,
    pub(super) entries_stored: Counter,
    pub(super) entries_duplicate: Counter,
    pub(super) entries_quarantined: Counter,
    pub(super) conflicts: Counter,
    pub(super) refused: Counter,
    pub(super) enrolments: Counter,
    pub(super) health_reports: Counter,
    pub(super) help_calls: Counter,
    pub(super) connections: Gauge,
}

/// What is looked up when the numbers are asked for.
#[derive(Clone, Default)]
pub(super) struct Levels {
    /// `None` if the store does not answer: central is not ready then, and says so.
    pub(super) store: Option<StoreLevels>,
    pub(super) pages: u64,
    pub(super) is_serving: bool,
    pub(super) folder: DataFolder,
}

/// What the store counts.
#[derive(Clone, Copy, Default)]
pub(super) struct StoreLevels {
    pub(super) terminals: u64,
    pub(super) terminals_stale: u64,
    pub(super) queue_depth: u64,
    pub(super) quarantined: u64,
    pub(super) incidents: u64,
    pub(super) help_open: u64,
}

impl Metrics {
    /// Of a central that starts at this time.
    pub(super) fn new(started_at: DateTime<Utc>) -> Self {
        let buckets = Matcher::Full("xinsheng_http_request_duration_seconds".to_owned());
        let builder = PrometheusBuilder::new();
        // Fails for no buckets alone.
        let builder = builder.set_buckets_for_metric(buckets, &DURATION_BUCKETS);
        let recorder = builder.unwrap_or_default().build_recorder();
        with_local_recorder(&recorder, || {
            describe_counter!("xinsheng_batches_total", "batches accepted, resent ones included");
            describe_counter!("xinsheng_entries_stored_total", "entries stored for the first time");
            describe_counter!("xinsheng_entries_duplicate_total", "entries that were stored already");
            describe_counter!("xinsheng_entries_quarantined_total", "entries stored and not understood");
            describe_counter!(
                "xinsheng_conflicts_total",
                "batches of another history: clones, restored cards"
            );
            describe_counter!(
                "xinsheng_requests_refused_total",
                "requests of terminals answered by a problem"
            );
            describe_counter!("xinsheng_enrolments_total", "terminals taken in");
            describe_counter!("xinsheng_health_reports_total", "health reports");
            describe_counter!(
                "xinsheng_help_calls_total",
                "calls for help taken in, those too late to ring included"
            );
            describe_gauge!("xinsheng_terminals", "enrolled terminals that are not revoked");
            describe_gauge!("xinsheng_terminals_stale", "of these, not heard of for too long");
            describe_gauge!("xinsheng_queue_depth", "entries waiting on terminals, as last reported");
            describe_gauge!("xinsheng_quarantine", "entries in quarantine");
            describe_gauge!("xinsheng_incidents", "incidents on record");
            describe_gauge!("xinsheng_help_open", "calls for help that ring");
            describe_counter!(
                "xinsheng_http_requests_total",
                "requests answered, by route, method and status"
            );
            describe_histogram!(
                "xinsheng_http_request_duration_seconds",
                "from a request to the head of its answer, by route"
            );
            describe_gauge!("xinsheng_connections", "open connections");
            describe_gauge!("xinsheng_pages_open", "live pages that are open");
            describe_gauge!("xinsheng_ready", "1 while batches are taken, 0 from the moment a stop begins");
            describe_gauge!("xinsheng_start_time_seconds", "when this central started");
            describe_gauge!("xinsheng_build_info", "1, with the version as label");
            describe_gauge!(
                "xinsheng_data_free_bytes",
                "room that central can still use where its data lies"
            );
            describe_gauge!("xinsheng_database_bytes", "the database with its write-ahead log");
            describe_gauge!(
                "xinsheng_backup_time_seconds",
                "when the last backup that succeeded was begun; 0 if there is none"
            );
            gauge!("xinsheng_start_time_seconds").set(seconds(started_at));
            gauge!("xinsheng_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        });
        let named = |name: &'static str| with_local_recorder(&recorder, || counter!(name));
        Self {
            batches: named("xinsheng_batches_total"),
            entries_stored: named("xinsheng_entries_stored_total"),
            entries_duplicate: named("xinsheng_entries_duplicate_total"),
            entries_quarantined: named("xinsheng_entries_quarantined_total"),
            conflicts: named("xinsheng_conflicts_total"),
            refused: named("xinsheng_requests_refused_total"),
            enrolments: named("xinsheng_enrolments_total"),
            health_reports: named("xinsheng_health_reports_total"),
            help_calls: named("xinsheng_help_calls_total"),
            connections: with_local_recorder(&recorder, || gauge!("xinsheng_connections")),
            recorder,
        }
    }

    /// The text that Prometheus reads.
    pub(super) fn render(&self, levels: &Levels) -> String {
        with_local_recorder(&self.recorder, || {
            // Not the last one known: nobody may take it for the present.
            let counted = |name: &'static str, count: fn(StoreLevels) -> u64| {
                gauge!(name).set(levels.store.map_or(f64::NAN, |store| float(count(store))));
            };
            counted("xinsheng_terminals", |store| store.terminals);
            counted("xinsheng_terminals_stale", |store| store.terminals_stale);
            counted("xinsheng_queue_depth", |store| store.queue_depth);
            counted("xinsheng_quarantine", |store| store.quarantined);
            counted("xinsheng_incidents", |store| store.incidents);
            counted("xinsheng_help_open", |store| store.help_open);
            gauge!("xinsheng_pages_open").set(float(levels.pages));
            let ready = levels.is_serving && levels.store.is_some();
            gauge!("xinsheng_ready").set(if ready { 1.0 } else { 0.0 });
            if let Some(free) = levels.folder.free_bytes {
                gauge!("xinsheng_data_free_bytes").set(float(free));
            }
            gauge!("xinsheng_database_bytes").set(float(levels.folder.database_bytes));
            gauge!("xinsheng_backup_time_seconds").set(levels.folder.backup_at.map_or(0.0, seconds));
        });
        self.recorder.handle().render()
    }

    /// Sums up what was measured since the last time; without it that grows until somebody asks for the numbers.
    pub(super) fn upkeep(&self) {
        self.recorder.handle().run_upkeep();
    }

    fn answered(&self, route: &str, method: &'static str, status: u16, took: Duration) {
        with_local_recorder(&self.recorder, || {
            let (route, status) = (route.to_owned(), status.to_string());
            histogram!("xinsheng_http_request_duration_seconds", "route" => route.clone()).record(took);
            counter!("xinsheng_http_requests_total", "route" => route, "method" => method, "status" => status)
                .increment(1);
        });
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge; milliseconds stay far below 2^53")]
fn seconds(at: DateTime<Utc>) -> f64 {
    at.timestamp_millis() as f64 / 1_000.0
}

#[expect(clippy::cast_precision_loss, reason = "a gauge; counts stay far below 2^53")]
fn float(n: u64) -> f64 {
    n as f64
}
