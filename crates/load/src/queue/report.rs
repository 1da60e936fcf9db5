//! The results of a run, for people and for scripts.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::plan::QueuePlan;
use super::{Deliveries, Phase};
use crate::latency::Latency;
use crate::options::QueueOptions;

/// Results beside the options that they belong to.
pub(crate) struct QueueReport<'a> {
    /// The options as given.
    pub(crate) options: &'a QueueOptions,
    /// What they meant.
    pub(crate) plan: Arc<QueuePlan>,
    /// From the first PUBLISH until the last PUBACK.
    pub(crate) queueing: Phase,
    /// PUBACKs for nothing, with an error, or for a message that nobody subscribes to.
    pub(crate) refused: u64,
    /// From the first connection until the last message.
    pub(crate) draining: Phase,
    /// What came.
    pub(crate) deliveries: Deliveries,
}

impl QueueReport<'_> {
    /// In which ways this is no measurement; none if it is one.
    pub(crate) fn faults(&self) -> Vec<String> {
        let refused = self.refused;
        let refused = (refused > 0).then(|| {
            format!(
                "{refused} messages were not queued: PUBACK came for nothing, with an error or \
                     without a subscriber"
            )
        });
        refused.into_iter().chain(self.deliveries.arrivals.faults()).collect()
    }

    /// One object with everything.
    pub(crate) fn json(&self) -> Value {
        let arrivals = self.deliveries.arrivals;
        json!({
            "mode": "queue",
            "version": env!("CARGO_PKG_VERSION"),
            "options": self.options,
            "device_address": self.plan.address(),
            "queueing": self.phase(&self.queueing),
            "draining": self.phase(&self.draining),
            "session_drained_us": self.deliveries.latencies.percentiles().map(Latency::json),
            "total": {
                "published": self.plan.total(),
                "refused": self.refused,
                "delivered": arrivals.delivered,
                "lost": arrivals.lost,
                "duplicated": arrivals.duplicated,
                "foreign": arrivals.foreign,
            },
            "ok": self.faults().is_empty(),
            "faults": self.faults(),
        })
    }

    fn phase(&self, phase: &Phase) -> Value {
        let cpu = self.per_message(phase.server_cpu);
        json!({
            "seconds": phase.time.as_secs_f64(),
            "messages_per_second": self.per_second(phase),
            "server_cpu_us_per_message": cpu,
            "messages_per_server_cpu_second": cpu.map(|micros| 1e6 / micros),
            "generator_cpu_us_per_message": self.per_message(phase.own_cpu),
        })
    }

    fn per_second(&self, phase: &Phase) -> f64 {
        self.plan.total() as f64 / phase.time.as_secs_f64()
    }

    /// Microseconds of CPU time for each message.
    fn per_message(&self, cpu: Option<Duration>) -> Option<f64> {
        let cpu = cpu.filter(|cpu| !cpu.is_zero())?;
        Some(cpu.as_secs_f64() * 1e6 / self.plan.total() as f64)
    }
}

impl fmt::Display for QueueReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, phase) in [("queueing", &self.queueing), ("draining", &self.draining)] {
            let (rate, seconds) = (self.per_second(phase), phase.time.as_secs_f64());
            let cpu = |cpu| match self.per_message(cpu) {
                Some(micros) => format!("{micros:.2} us"),
                None => "unknown".to_owned(),
            };
            writeln!(
                f,
                "{name}     {rate:.0} messages/s for {seconds:.2} s, CPU of a message: server {}, \
                 own {}",
                cpu(phase.server_cpu),
                cpu(phase.own_cpu)
            )?;
        }
        if let Some(latency) = self.deliveries.latencies.percentiles() {
            write!(f, "from connecting to a session's last message (us), {latency}")?;
        }
        let (published, arrivals) = (self.plan.total(), self.deliveries.arrivals);
        writeln!(
            f,
            "messages     {published} published, {} delivered, {} lost, {} again",
            arrivals.delivered, arrivals.lost, arrivals.duplicated
        )
    }
}
