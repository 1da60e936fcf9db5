//! The results of a run with messages, for people and for scripts.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use crate::options::MessageOptions;
use crate::plan::{Pace, Plan};
use crate::run::Measurement;

/// The unit in which the system counts CPU time. Less than one is not told from none.
const CPU_TICK: Duration = Duration::from_millis(10);

/// Results beside the options that they belong to.
pub(crate) struct Report<'a> {
    /// The options as given.
    pub(crate) options: &'a MessageOptions,
    /// What they meant.
    pub(crate) plan: &'a Plan,
    /// The results.
    pub(crate) measurement: &'a Measurement,
}

/// Whether a run is a measurement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All answers were as expected.
    Good,
    /// They were not; each sentence says in which way.
    Bad(Vec<String>),
}

impl Report<'_> {
    /// Whether everything went as expected.
    pub(crate) fn verdict(&self) -> Verdict {
        let Measurement { tally, lost, first_loss, .. } = self.measurement;
        let unexpected: u64 = tally.unexpected.values().sum();
        let errors: u64 = tally.errors.values().sum();
        let unanswered = tally.unanswered();
        let loss = first_loss.as_deref().unwrap_or_default();
        let throttled = tally.unexpected.keys().any(|(status, _)| *status == 429);
        let faults = [
            (tally.latency().is_none() || tally.measured == 0)
                .then(|| "nothing was measured".to_owned()),
            (unexpected > 0).then(|| format!("{unexpected} unexpected answers")),
            throttled.then(|| "quotas were in force: start the server with --unlimited".to_owned()),
            (errors > 0).then(|| format!("{errors} errors")),
            (unanswered > 0).then(|| format!("{unanswered} requests were not answered in time")),
            (*lost > 0).then(|| format!("{lost} devices lost their connection; first {loss}")),
        ];
        let faults: Vec<String> = faults.into_iter().flatten().collect();
        if faults.is_empty() { Verdict::Good } else { Verdict::Bad(faults) }
    }

    /// One object with everything.
    pub(crate) fn json(&self) -> Value {
        let Self { options, plan, measurement } = self;
        let Measurement { tally, backlog, .. } = measurement;
        let unexpected = tally.unexpected.iter().map(|((status, reason), count)| {
            json!({"status": status, "reason": reason, "count": count, "expected": false})
        });
        let status = plan.expected().status();
        let expected =
            json!({"status": status, "reason": null, "count": tally.accepted, "expected": true});
        let answers: Vec<Value> = std::iter::once(expected).chain(unexpected).collect();
        let open_loop = match plan.pace {
            Pace::Closed => Value::Null,
            Pace::Open { rate, backlog: limit } => json!({
                "rate": rate,
                "scheduled": backlog.scheduled,
                "backlog_limit": limit,
                "backlog_max": backlog.longest,
                "dropped": backlog.dropped,
                "unsent": backlog.unsent,
                "kept_up": self.kept_up(),
            }),
        };
        let (ok, faults) = match self.verdict() {
            Verdict::Good => (true, Vec::new()),
            Verdict::Bad(faults) => (false, faults),
        };
        json!({
            "mode": "messages",
            "version": env!("CARGO_PKG_VERSION"),
            "options": options,
            "device_address": plan.fleet.connector.endpoint().to_string(),
            "sender_address": plan.connector.endpoint().to_string(),
            "measured_seconds": measurement.measured.as_secs_f64(),
            "messages": tally.measured,
            "throughput_per_second": self.throughput(),
            "latency_us": tally.latency().map(|latency| latency.json()),
            "server_cpu_seconds": measurement.server_cpu.map(|cpu| cpu.as_secs_f64()),
            "server_cpu_us_per_message": self.per_message(measurement.server_cpu),
            "generator_cpu_us_per_message": self.per_message(measurement.own_cpu),
            "answers": answers,
            "errors": tally.errors,
            "unanswered": tally.unanswered(),
            "devices": {
                "received": measurement.received,
                "lost": measurement.lost,
                "first_loss": measurement.first_loss,
            },
            "open_loop": open_loop,
            "ok": ok,
            "faults": faults,
        })
    }

    fn throughput(&self) -> f64 {
        self.measurement.tally.measured as f64 / self.measurement.measured.as_secs_f64()
    }

    /// Microseconds of CPU time for each expected answer of the measured time.
    fn per_message(&self, cpu: Option<Duration>) -> Option<f64> {
        let messages = self.measurement.tally.measured;
        let enough = cpu.filter(|cpu| messages > 0 && *cpu >= CPU_TICK)?;
        Some(enough.as_secs_f64() * 1e6 / messages as f64)
    }

    /// Whether every message that came due was sent.
    fn kept_up(&self) -> bool {
        self.measurement.backlog.dropped == 0 && self.measurement.backlog.unsent == 0
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan, measurement, .. } = self;
        let Measurement { tally, backlog, .. } = measurement;
        let seconds = measurement.measured.as_secs();
        writeln!(f, "throughput   {:.0} messages/s for {seconds} s", self.throughput())?;
        if let Some(latency) = tally.latency() {
            write!(f, "latency (us), {latency}")?;
        }
        let cpu = |cpu| match self.per_message(cpu) {
            Some(micros) => format!("{micros:.1} us a message"),
            None => "unknown".to_owned(),
        };
        writeln!(f, "server CPU   {}", cpu(measurement.server_cpu))?;
        writeln!(f, "own CPU      {}", cpu(measurement.own_cpu))?;
        writeln!(f, "answers      {}: {}", plan.expected().status(), tally.accepted)?;
        for ((status, reason), count) in &tally.unexpected {
            writeln!(f, "unexpected   {status} {reason}: {count}")?;
        }
        for (error, count) in &tally.errors {
            writeln!(f, "error        {error}: {count}")?;
        }
        writeln!(f, "devices      received {}", measurement.received)?;
        if let Pace::Open { rate, .. } = plan.pace {
            let (longest, dropped, unsent) = (backlog.longest, backlog.dropped, backlog.unsent);
            write!(f, "open loop    {rate}/s, backlog at most {longest}")?;
            match self.kept_up() {
                true => writeln!(f)?,
                false => writeln!(
                    f,
                    "; the server did not keep up: {dropped} messages dropped, {unsent} unsent, \
                     and their latency is not in the figures"
                )?,
            }
        }
        Ok(())
    }
}
