//! Numbers for Prometheus. The recorder is central's own, not the process's: a test or the demo may run several centrals.

use metrics::{Counter, counter, describe_counter, describe_gauge, gauge, with_local_recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};

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
}

/// What is looked up when the numbers are asked for.
#[derive(Clone, Copy, Default)]
pub(super) struct Levels {
    pub(super) terminals: u64,
    pub(super) terminals_stale: u64,
    pub(super) queue_depth: u64,
    pub(super) quarantined: u64,
    pub(super) incidents: u64,
    pub(super) help_open: u64,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
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
            recorder,
        }
    }

    /// The text that Prometheus reads.
    pub(super) fn render(&self, levels: Levels) -> String {
        with_local_recorder(&self.recorder, || {
            gauge!("xinsheng_terminals").set(float(levels.terminals));
            gauge!("xinsheng_terminals_stale").set(float(levels.terminals_stale));
            gauge!("xinsheng_queue_depth").set(float(levels.queue_depth));
            gauge!("xinsheng_quarantine").set(float(levels.quarantined));
            gauge!("xinsheng_incidents").set(float(levels.incidents));
            gauge!("xinsheng_help_open").set(float(levels.help_open));
        });
        self.recorder.handle().render()
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge; counts stay far below 2^53")]
fn float(n: u64) -> f64 {
    n as f64
}
