//! The results of a run, for people and for scripts.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use super::measured::{Counted, Measured};
use super::plan::PubsubPlan;
use crate::latency::Latency;
use crate::options::PubsubOptions;

/// Results beside the options that they belong to.
pub(crate) struct PubsubReport<'a> {
    /// The options as given.
    pub(crate) options: &'a PubsubOptions,
    /// What they meant.
    pub(crate) plan: PubsubPlan,
    /// The results.
    pub(crate) measured: Measured,
}

impl PubsubReport<'_> {
    /// In which ways this is no measurement; none if it is one.
    pub(crate) fn faults(&self) -> Vec<String> {
        let Counted { arrivals, unexpected_acks, missing_acks, .. } = self.measured.counted;
        let acks = [
            (unexpected_acks > 0).then(|| {
                format!("{unexpected_acks} acknowledgements for nothing, or with an error")
            }),
            (missing_acks > 0).then(|| format!("{missing_acks} acknowledgements did not come")),
        ];
        let nothing = (self.measured.delivered == 0).then(|| "nothing was measured".to_owned());
        let faults = nothing.into_iter().chain(arrivals.faults());
        faults.chain(acks.into_iter().flatten()).collect()
    }

    /// One object with everything.
    pub(crate) fn json(&self) -> Value {
        let Counted { arrivals, unexpected_acks, missing_acks, published } = self.measured.counted;
        let measured = &self.measured;
        json!({
            "mode": "pubsub",
            "version": env!("CARGO_PKG_VERSION"),
            "options": self.options,
            "device_address": self.plan.endpoint.to_string(),
            "measured_seconds": measured.time.as_secs_f64(),
            "published": measured.published,
            "deliveries": measured.delivered,
            "deliveries_per_second": self.per_second(),
            "latency_us": measured.timings.each.percentiles().map(Latency::json),
            "last_receiver_latency_us": measured.timings.last.percentiles().map(Latency::json),
            "open_loop": self.plan.rate.map(|rate| json!({
                "rate": rate,
                "unsent": measured.unsent,
                "kept_up": measured.unsent == 0,
            })),
            "server_cpu_seconds": measured.server_cpu.map(|cpu| cpu.as_secs_f64()),
            "server_cpu_us_per_delivery": self.per_delivery(measured.server_cpu),
            "deliveries_per_server_cpu_second": self.per_cpu_second(),
            "generator_cpu_us_per_delivery": self.per_delivery(measured.own_cpu),
            "total": {
                "published": published,
                "delivered": arrivals.delivered,
                "lost": arrivals.lost,
                "duplicated": arrivals.duplicated,
                "foreign": arrivals.foreign,
                "unexpected_acks": unexpected_acks,
                "missing_acks": missing_acks,
            },
            "ok": self.faults().is_empty(),
            "faults": self.faults(),
        })
    }

    fn per_second(&self) -> f64 {
        self.measured.delivered as f64 / self.measured.time.as_secs_f64()
    }

    /// Microseconds of CPU time for each delivery.
    fn per_delivery(&self, cpu: Option<Duration>) -> Option<f64> {
        let cpu = cpu.filter(|cpu| !cpu.is_zero() && self.measured.delivered > 0)?;
        Some(cpu.as_secs_f64() * 1e6 / self.measured.delivered as f64)
    }

    fn per_cpu_second(&self) -> Option<f64> {
        self.per_delivery(self.measured.server_cpu).map(|micros| 1e6 / micros)
    }
}

impl fmt::Display for PubsubReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counted { arrivals, published, .. } = self.measured.counted;
        let seconds = self.measured.time.as_secs_f64();
        writeln!(f, "deliveries   {:.0}/s for {seconds:.1} s", self.per_second())?;
        let timings = &self.measured.timings;
        for (name, latencies) in
            [("latency (us)", &timings.each), ("of the last subscriber (us)", &timings.last)]
        {
            if let Some(latency) = latencies.percentiles() {
                write!(f, "{name}, {latency}")?;
            }
        }
        let cpu = |cpu| match self.per_delivery(cpu) {
            Some(micros) => format!("{micros:.2} us a delivery"),
            None => "unknown".to_owned(),
        };
        writeln!(f, "server CPU   {}", cpu(self.measured.server_cpu))?;
        if let Some(deliveries) = self.per_cpu_second() {
            writeln!(f, "             {deliveries:.0} deliveries a CPU second")?;
        }
        writeln!(f, "own CPU      {}", cpu(self.measured.own_cpu))?;
        writeln!(
            f,
            "messages     {published} published, {} delivered, {} lost, {} again",
            arrivals.delivered, arrivals.lost, arrivals.duplicated
        )?;
        match (self.plan.rate, self.measured.unsent) {
            (None, _) => Ok(()),
            (Some(rate), 0) => writeln!(f, "open loop    {rate}/s"),
            (Some(rate), unsent) => writeln!(
                f,
                "open loop    {rate}/s; the broker did not keep up: {unsent} messages unsent, and \
                 their latency is not in the figures"
            ),
        }
    }
}
