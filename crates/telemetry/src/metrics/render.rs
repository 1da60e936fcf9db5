//! The counters as Prometheus's text format 0.0.4.

use std::fmt::{Display, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use engine::close::CloseReason;
use engine::outcome::DirectOutcome;

use crate::event::{ShadowOperation, SpanDrop, WebhookDrop};
use crate::metrics::histogram::{BOUNDS, Histogram, Totals};
use crate::metrics::{AUTHN_REASONS, Counters, Label, Metrics, Shard, process};
use crate::{Metered, Quota, Status, Verdict};

/// A name and what it means: the `# HELP` line.
type Head = (&'static str, &'static str);

/// A number that somebody else keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gauge {
    /// Its name, `tenfour_…`.
    pub name: &'static str,
    /// What it means.
    pub help: &'static str,
    /// The number now.
    pub value: u64,
}

impl Metrics {
    /// The media type of what [`Metrics::render`] writes.
    pub const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// Appends all metrics to `out`, in Prometheus's text format 0.0.4; `gauges` are what others know.
    pub fn render(&self, gauges: &[Gauge], out: &mut String) {
        let mut page = Page { metrics: self, out };
        page.direct_messages();
        page.connections();
        page.publish_and_subscribe();
        page.metered();
        page.shadows();
        for gauge in gauges {
            page.gauge((gauge.name, gauge.help), gauge.value);
        }
        page.http_and_refusals();
        page.exports();
        page.process();
    }
}

struct Page<'a> {
    metrics: &'a Metrics,
    out: &'a mut String,
}

impl Page<'_> {
    fn direct_messages(&mut self) {
        self.family::<DirectOutcome, _>(
            ("tenfour_direct_messages_total", "SendDirectMessage requests by how they ended."),
            "outcome",
            |shard| &shard.direct_messages,
        );
        self.counter(
            ("tenfour_direct_payload_bytes_total", "Payload bytes of SendDirectMessage requests."),
            |shard| &shard.direct_payload_bytes,
        );
        self.histogram(
            (
                "tenfour_direct_delivery_seconds",
                "Time from a request taken in to its PUBLISH handed to the device's socket.",
            ),
            |shard| &shard.direct_delivery,
        );
        self.histogram(
            (
                "tenfour_direct_ack_seconds",
                "Time from a PUBLISH handed to the device's socket to the device's PUBACK.",
            ),
            |shard| &shard.direct_ack,
        );
        self.family::<DirectOutcome, _>(
            (
                "tenfour_direct_dry_runs_total",
                "Dry runs of SendDirectMessage by how the message would have ended.",
            ),
            "outcome",
            |shard| &shard.direct_dry_runs,
        );
    }

    fn connections(&mut self) {
        let connections = self.metrics.connections();
        self.gauge(("tenfour_connections", "Devices connected now."), connections);
        self.family::<Verdict<'_>, _>(
            ("tenfour_connects_total", "CONNECTs of authenticated devices by result."),
            "result",
            |shard| &shard.connects,
        );
        self.family::<CloseReason, _>(
            ("tenfour_disconnects_total", "Connections that ended, by reason."),
            "reason",
            |shard| &shard.disconnects,
        );
        self.counter(
            ("tenfour_mqtt_received_bytes_total", "Bytes of MQTT read from devices."),
            |shard| &shard.mqtt_received_bytes,
        );
        self.counter(
            ("tenfour_mqtt_sent_bytes_total", "Bytes of MQTT written to devices."),
            |shard| &shard.mqtt_sent_bytes,
        );
    }

    fn publish_and_subscribe(&mut self) {
        self.family::<Verdict<'_>, _>(
            ("tenfour_publish_in_total", "Publishes by devices and over HTTP, by result."),
            "result",
            |shard| &shard.publish_in,
        );
        self.family::<Verdict<'_>, _>(
            (
                "tenfour_publish_out_total",
                "PUBLISHes to subscribers by result, direct messages not included.",
            ),
            "result",
            |shard| &shard.publish_out,
        );
        self.family::<Verdict<'_>, _>(
            ("tenfour_queued_total", "Messages for sessions without a connection, by result."),
            "result",
            |shard| &shard.queued,
        );
        self.family::<Verdict<'_>, _>(
            ("tenfour_subscribes_total", "SUBSCRIBEs by result."),
            "result",
            |shard| &shard.subscribes,
        );
        self.family::<Verdict<'_>, _>(
            ("tenfour_unsubscribes_total", "UNSUBSCRIBEs by result."),
            "result",
            |shard| &shard.unsubscribes,
        );
    }

    fn metered(&mut self) {
        self.family::<Metered, _>(
            (
                "tenfour_metered_units_total",
                "Messages in units of 5 KB, begun ones as whole, as AWS meters them.",
            ),
            "kind",
            |shard| &shard.metered,
        );
    }

    fn shadows(&mut self) {
        self.family::<ShadowOperation, _>(
            ("tenfour_thing_shadow_accepted_total", "Requests to shadows that were done."),
            "operation",
            |shard| &shard.shadow_accepted,
        );
        self.family::<ShadowOperation, _>(
            ("tenfour_thing_shadow_rejected_total", "Requests to shadows that were not done."),
            "operation",
            |shard| &shard.shadow_rejected,
        );
    }

    fn http_and_refusals(&mut self) {
        self.http_requests();
        self.family::<Quota, _>(
            ("tenfour_throttled_total", "What a quota turned away or slowed down, by quota."),
            "quota",
            |shard| &shard.throttled,
        );
        self.labelled(
            ("tenfour_authn_errors_total", "Failed authentications by reason."),
            "reason",
            AUTHN_REASONS.to_vec(),
            |shard| &shard.authn_errors.0,
        );
        self.family::<Status, _>(
            (
                "tenfour_registry_reloads_total",
                "Times the registry was read anew; a failure for each mistake found.",
            ),
            "result",
            |shard| &shard.registry_reloads,
        );
    }

    fn exports(&mut self) {
        self.family::<Status, _>(
            ("tenfour_webhook_attempts_total", "Receipts posted to the webhook, by result."),
            "result",
            |shard| &shard.webhook_attempts,
        );
        self.family::<WebhookDrop, _>(
            (
                "tenfour_webhook_events_dropped_total",
                "Receipts that will not be delivered to the webhook, by reason.",
            ),
            "reason",
            |shard| &shard.webhook_dropped,
        );
        self.counter(
            ("tenfour_trace_spans_exported_total", "Spans that a collector took."),
            |shard| &shard.spans_exported,
        );
        self.family::<SpanDrop, _>(
            ("tenfour_trace_spans_dropped_total", "Spans that will not be exported, by reason."),
            "reason",
            |shard| &shard.spans_dropped,
        );
    }

    fn process(&mut self) {
        self.counter(
            (
                "tenfour_log_entries_dropped_total",
                "Log entries dropped because the buffer was full.",
            ),
            |shard| &shard.log_entries_dropped,
        );
        self.counter(
            ("tenfour_log_write_errors_total", "Failed attempts to write or reopen the log."),
            |shard| &shard.log_write_errors,
        );
        self.counter(
            (
                "tenfour_log_entries_not_kept_total",
                "Log entries that could not be kept to be read back.",
            ),
            |shard| &shard.log_entries_not_kept,
        );
        self.head(("tenfour_build_info", "Always 1; the labels tell the build."), "gauge");
        self.sample("tenfour_build_info", Some(("version", env!("CARGO_PKG_VERSION"))), 1);
        let started = self.metrics.started.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.gauge(
            ("tenfour_start_time_seconds", "When the process started, in seconds since 1970."),
            started.as_millis() as f64 / 1_000.0,
        );
        if let Some(bytes) = process::resident_bytes() {
            self.gauge(("process_resident_memory_bytes", "Memory in use."), bytes);
        }
        if let Some(count) = process::open_files() {
            self.gauge(("process_open_fds", "Open file descriptors."), count);
        }
    }

    /// Only the statuses that were ever answered.
    fn http_requests(&mut self) {
        const NAME: &str = "tenfour_http_requests_total";
        self.head((NAME, "HTTP requests by the status of the answer."), "counter");
        let totals = self.totals(|shard| &shard.http_requests.0);
        for (slot, total) in totals.into_iter().enumerate().filter(|(_, total)| *total > 0) {
            let status = slot + 100;
            let _ = writeln!(self.out, "{NAME}{{status=\"{status}\"}} {total}");
        }
    }

    fn counter(&mut self, head: Head, pick: impl Fn(&Shard) -> &AtomicU64) {
        self.head(head, "counter");
        let total: u64 =
            self.metrics.shards.iter().map(|shard| pick(shard).load(Ordering::Relaxed)).sum();
        self.sample(head.0, None, total);
    }

    fn gauge(&mut self, head: Head, value: impl Display) {
        self.head(head, "gauge");
        self.sample(head.0, None, value);
    }

    fn family<L: Label, const N: usize>(
        &mut self,
        head: Head,
        label: &'static str,
        pick: impl Fn(&Shard) -> &Counters<N>,
    ) {
        self.labelled(head, label, L::words(), |shard| &pick(shard).0);
    }

    fn labelled<const N: usize>(
        &mut self,
        head: Head,
        label: &'static str,
        words: Vec<&'static str>,
        pick: impl Fn(&Shard) -> &[AtomicU64; N],
    ) {
        self.head(head, "counter");
        for (word, total) in words.into_iter().zip(self.totals(pick)) {
            self.sample(head.0, Some((label, word)), total);
        }
    }

    fn histogram(&mut self, head: Head, pick: impl Fn(&Shard) -> &Histogram) {
        self.head(head, "histogram");
        let totals = Totals::of(self.metrics.shards.iter().map(pick));
        let name = head.0;
        let bounds = BOUNDS.iter().map(|bound| (*bound as f64 / 1e6).to_string());
        let bucket = format!("{name}_bucket");
        for (bound, count) in bounds.chain(["+Inf".to_owned()]).zip(totals.cumulative) {
            self.sample(&bucket, Some(("le", &bound)), count);
        }
        self.sample(&format!("{name}_sum"), None, totals.sum_micros as f64 / 1e6);
        self.sample(&format!("{name}_count"), None, totals.cumulative[BOUNDS.len()]);
    }

    fn totals<const N: usize>(&self, pick: impl Fn(&Shard) -> &[AtomicU64; N]) -> [u64; N] {
        let mut totals = [0; N];
        for shard in &self.metrics.shards {
            for (total, counter) in totals.iter_mut().zip(pick(shard)) {
                *total += counter.load(Ordering::Relaxed);
            }
        }
        totals
    }

    fn head(&mut self, (name, help): Head, kind: &str) {
        let _ = writeln!(self.out, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// One line. Writing to a string cannot fail.
    fn sample(&mut self, name: &str, label: Option<(&str, &str)>, value: impl Display) {
        self.out.push_str(name);
        if let Some((label, word)) = label {
            let _ = write!(self.out, "{{{label}=\"");
            push_escaped(self.out, word);
            self.out.push_str("\"}");
        }
        let _ = writeln!(self.out, " {value}");
    }
}

/// A label's value, with backslash, quote and line end escaped as the format demands.
fn push_escaped(out: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_values_are_escaped() {
        let mut out = String::new();
        push_escaped(&mut out, "a\"b\\c\nd");
        assert_eq!(out, r#"a\"b\\c\nd"#);
    }
}
