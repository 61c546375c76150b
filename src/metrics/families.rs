//! Which metrics there are: names, labels, meaning. `docs/operate/metrics.md` tells them to operators.

use std::sync::Arc;

use super::text::MetricKind::{Counter, Gauge};
use super::text::{MetricKind, Text};
use crate::config::Config;
use crate::run::{self, RunCounts};
use crate::warehouse::{JobFigures, QuotaFigures, StreamFigures, WarehouseFigures};

/// Outcomes of a last run, each with a sample of its own: 1 for the one it has.
const OUTCOMES: [&str; 7] = ["running", "done", "findings", "partial", "refused", "failed", "crashed"];

/// A metric that every `T` has one sample of.
type Each<T> = (&'static str, MetricKind, &'static str, fn(&T) -> Option<i64>);

const OF_JOBS: &[Each<JobFigures>] = &[
    ("bss_sync_last_success_timestamp_seconds", Gauge, "End of the last run that was done.", |job| {
        job.last_done_at
    }),
    ("bss_sync_last_run_timestamp_seconds", Gauge, "Start of the last run.", |job| Some(job.last_started_at)),
    ("bss_sync_last_run_duration_seconds", Gauge, "Time that the last run took.", |job| job.last_seconds),
    ("bss_sync_requests_total", Counter, "HTTP requests of ended runs, repeated ones included.", |job| {
        Some(job.requests)
    }),
    (
        "bss_sync_refusals_total",
        Counter,
        "Requests of ended runs that were refused for a quota (429).",
        |job| Some(job.refusals),
    ),
    ("bss_sync_retries_total", Counter, "Requests of ended runs repeated after another failure.", |job| {
        Some(job.retries)
    }),
    ("bss_sync_rows_received_total", Counter, "Rows received.", |job| Some(job.received)),
    ("bss_sync_rows_new_total", Counter, "Record rows that were new.", |job| Some(job.new)),
    ("bss_sync_rows_changed_total", Counter, "Record rows whose content changed.", |job| Some(job.changed)),
    (
        "bss_sync_orders_late_total",
        Counter,
        "Orders that appeared in time that had been read completely.",
        |job| Some(job.late),
    ),
];

const OF_STREAMS: &[Each<StreamFigures>] = &[
    ("bss_sync_queue_orders", Gauge, "Orders whose records are still to be read.", |stream| {
        Some(stream.queued)
    }),
    ("bss_sync_queue_failing_orders", Gauge, "Orders in the queue that were tried in vain.", |stream| {
        Some(stream.failing)
    }),
    (
        "bss_sync_queue_oldest_timestamp_seconds",
        Gauge,
        "Since when the oldest order that is due could have been read.",
        |stream| stream.queued_since,
    ),
    ("bss_sync_disputed", Gauge, "Windows, lists and orders that could not be proven complete.", |stream| {
        Some(stream.disputed)
    }),
    (
        "bss_sync_quarantined_rows",
        Gauge,
        "Rows that came last in a form that could not be decoded.",
        |stream| Some(stream.quarantined),
    ),
    ("bss_sync_drift", Gauge, "Fields and values that no document lists.", |stream| Some(stream.drift)),
];

/// A metric that every run in hand has one sample of.
type OfRunning = (&'static str, &'static str, fn(&RunCounts) -> u64);

const OF_RUNNING: &[OfRunning] = &[
    ("bss_sync_active", "Runs in hand.", |_| 1),
    ("bss_sync_active_requests", "Requests of the run in hand.", |counts| counts.meter.read().requests),
    ("bss_sync_active_refusals", "Requests of the run in hand that were refused for a quota.", |counts| {
        counts.meter.read().throttled
    }),
    ("bss_sync_active_rows", "Rows that the run in hand received.", |counts| counts.tally().received),
    (
        "bss_sync_active_units_read",
        "Windows, orders and lists that the run in hand read to their end.",
        |counts| counts.units().0,
    ),
    ("bss_sync_active_units_known", "Windows, orders and lists that the run in hand knows of.", |counts| {
        counts.units().1
    }),
];

/// All metrics, in the text form of Prometheus (version 0.0.4). Jobs and accounts that the configuration does not have any
/// more are left out: nobody waits for their next success.
#[must_use]
pub fn render(config: &Config, figures: &WarehouseFigures, running: &[Arc<RunCounts>]) -> String {
    let mut text = Text::default();
    of_the_program(&mut text, figures);
    of_jobs(&mut text, config, figures);
    of_streams(&mut text, config, figures);
    of_quotas(&mut text, config, figures);
    for (name, help, value) in OF_RUNNING {
        let mut family = text.family(name, Gauge, help);
        for counts in running {
            family.sample(&[("account", &counts.account), ("job", &counts.job)], Some(value(counts)));
        }
    }
    text.finish()
}

fn of_the_program(text: &mut Text, figures: &WarehouseFigures) {
    text.family("bss_sync_build_info", Gauge, "1; the label tells the program's version.")
        .sample(&[("version", env!("CARGO_PKG_VERSION"))], Some(1));
    text.family("bss_sync_schema_version", Gauge, "Schema version of the warehouse.")
        .sample(&[], Some(figures.schema));
    text.family("bss_sync_schema_version_known", Gauge, "Newest schema version that the program knows.")
        .sample(&[], Some(WarehouseFigures::known_schema()));
    text.family("bss_sync_warehouse_bytes", Gauge, "Size of the warehouse, with what is still in its log.")
        .sample(&[], Some(figures.bytes));
    text.family("bss_sync_warehouse_log_bytes", Gauge, "Size of the warehouse's write-ahead log.")
        .sample(&[], Some(figures.log_bytes));
}

fn of_jobs(text: &mut Text, config: &Config, figures: &WarehouseFigures) {
    let is_configured = |account: &str, job: &str| {
        let pair = config.account(account).zip(config.job(job));
        pair.is_some_and(|(account, job)| run::reads(job, account))
    };
    let jobs: Vec<&JobFigures> =
        figures.jobs.iter().filter(|of| is_configured(&of.account, &of.job)).collect();
    for (name, kind, help, value) in OF_JOBS {
        let mut family = text.family(name, *kind, help);
        for of in &jobs {
            family.sample(&[("account", &of.account), ("job", &of.job)], value(of));
        }
    }
    let mut family = text.family(
        "bss_sync_last_run_outcome",
        Gauge,
        "1 for the outcome of the last run, 0 for the others.",
    );
    for of in &jobs {
        for outcome in OUTCOMES {
            let labels = [("account", of.account.as_str()), ("job", of.job.as_str()), ("outcome", outcome)];
            family.sample(&labels, Some(u8::from(outcome == of.last_outcome)));
        }
    }
    let mut family = text.family("bss_sync_runs_total", Counter, "Runs that ended, by outcome.");
    for of in figures.outcomes.iter().filter(|of| is_configured(&of.account, &of.job)) {
        let labels = [("account", of.account.as_str()), ("job", of.job.as_str()), ("outcome", &of.outcome)];
        family.sample(&labels, Some(of.runs));
    }
}

fn of_streams(text: &mut Text, config: &Config, figures: &WarehouseFigures) {
    let is_configured = |account: &str| config.account(account).is_some();
    let streams: Vec<&StreamFigures> =
        figures.streams.iter().filter(|stream| is_configured(&stream.account)).collect();
    for (name, kind, help, value) in OF_STREAMS {
        let mut family = text.family(name, *kind, help);
        for stream in &streams {
            family.sample(&[("account", &stream.account), ("stream", &stream.stream)], value(stream));
        }
    }
    let mut family = text.family(
        "bss_sync_watermark_timestamp_seconds",
        Gauge,
        "Everything that was created (lane created) or paid (lane paid) before it was read.",
    );
    for stream in &streams {
        for (lane, up_to) in [("created", stream.created_up_to), ("paid", stream.paid_up_to)] {
            family.sample(&[("account", &stream.account), ("stream", &stream.stream), ("lane", lane)], up_to);
        }
    }
    let mut family = text.family("bss_sync_months", Gauge, "Billing months, by state.");
    for of in figures.months.iter().filter(|of| is_configured(&of.account)) {
        let labels =
            [("account", of.account.as_str()), ("stream", of.stream.as_str()), ("state", of.state.as_str())];
        family.sample(&labels, Some(of.months));
    }
}

fn of_quotas(text: &mut Text, config: &Config, figures: &WarehouseFigures) {
    /// A figure of a quota; no float holds more than it shows.
    type OfQuota = (&'static str, &'static str, fn(&QuotaFigures) -> Option<String>);
    const OF_QUOTAS: &[OfQuota] = &[
        ("bss_sync_quota_calls", "Calls that the quota allows in its period.", |quota| {
            Some(quota.calls.to_string())
        }),
        ("bss_sync_quota_period_seconds", "The quota's period.", |quota| Some(quota.period.to_string())),
        (
            "bss_sync_quota_margin_ratio",
            "Part of the quota that is left unused to stay clear of refusals.",
            |quota| Some(format!("0.{:06}", quota.margin_ppm)),
        ),
        (
            "bss_sync_quota_last_refusal_timestamp_seconds",
            "When a call was last refused for the quota.",
            |quota| quota.last_refused_at.map(|at| at.to_string()),
        ),
    ];
    for (name, help, value) in OF_QUOTAS {
        let mut family = text.family(name, Gauge, help);
        for quota in figures.quotas.iter().filter(|quota| config.account(&quota.account).is_some()) {
            let labels = [
                ("account", quota.account.as_str()),
                ("endpoint", quota.endpoint.as_str()),
                ("policy", quota.policy.as_str()),
            ];
            family.sample(&labels, value(quota));
        }
    }
}
