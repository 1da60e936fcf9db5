//! The results of a run, for people and for scripts.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use super::tally::ConnectTally;
use crate::options::{ConnectsOptions, DeviceTransport};

/// Results beside the options that they belong to.
pub(crate) struct ConnectsReport<'a> {
    /// The options as given.
    pub(crate) options: &'a ConnectsOptions,
    /// The listener.
    pub(crate) address: String,
    /// The results.
    pub(crate) tally: ConnectTally,
    /// Whether all that had begun came to an end.
    pub(crate) in_time: bool,
    /// The measured time.
    pub(crate) measured: Duration,
    /// CPU time of the server in the measured time, if its process is known and readable.
    pub(crate) server_cpu: Option<Duration>,
    /// CPU time of the generator in it.
    pub(crate) own_cpu: Option<Duration>,
}

impl ConnectsReport<'_> {
    /// In which ways this is no measurement; none if it is one.
    pub(crate) fn faults(&self) -> Vec<String> {
        let errors: u64 = self.tally.errors.values().sum();
        let faults = [
            (self.tally.measured == 0).then(|| "nothing was measured".to_owned()),
            (errors > 0).then(|| format!("{errors} cycles failed")),
            (!self.in_time).then(|| "some cycles did not come to an end".to_owned()),
        ];
        faults.into_iter().flatten().collect()
    }

    /// One object with everything.
    pub(crate) fn json(&self) -> Value {
        let tls = match self.options.device_transport {
            DeviceTransport::Plain => Value::Null,
            DeviceTransport::Tls => {
                json!({"full": self.tally.full, "resumed": self.tally.resumed})
            }
        };
        json!({
            "mode": "connects",
            "version": env!("CARGO_PKG_VERSION"),
            "options": self.options,
            "device_address": self.address,
            "measured_seconds": self.measured.as_secs_f64(),
            "cycles": self.tally.measured,
            "cycles_per_second": self.per_second(),
            "latency_us": self.tally.latency().map(|latency| latency.json()),
            "server_cpu_seconds": self.server_cpu.map(|cpu| cpu.as_secs_f64()),
            "server_cpu_us_per_cycle": self.per_cycle(self.server_cpu),
            "generator_cpu_us_per_cycle": self.per_cycle(self.own_cpu),
            "tls_handshakes": tls,
            "errors": self.tally.errors,
            "ok": self.faults().is_empty(),
            "faults": self.faults(),
        })
    }

    fn per_second(&self) -> f64 {
        self.tally.measured as f64 / self.measured.as_secs_f64()
    }

    /// Microseconds of CPU time for each cycle.
    fn per_cycle(&self, cpu: Option<Duration>) -> Option<f64> {
        let cpu = cpu.filter(|cpu| !cpu.is_zero() && self.tally.measured > 0)?;
        Some(cpu.as_secs_f64() * 1e6 / self.tally.measured as f64)
    }
}

impl fmt::Display for ConnectsReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.measured.as_secs();
        writeln!(f, "cycles       {:.0}/s for {seconds} s", self.per_second())?;
        if let Some(sessions) = self.options.sessions {
            writeln!(f, "sessions     {sessions}, resumed in turn")?;
        }
        if let Some(latency) = self.tally.latency() {
            write!(f, "to CONNACK (us), {latency}")?;
        }
        let cpu = |cpu| match self.per_cycle(cpu) {
            Some(micros) => format!("{micros:.1} us a cycle"),
            None => "unknown".to_owned(),
        };
        writeln!(f, "server CPU   {}", cpu(self.server_cpu))?;
        writeln!(f, "own CPU      {}", cpu(self.own_cpu))?;
        match self.options.device_transport {
            DeviceTransport::Plain => {}
            DeviceTransport::Tls => {
                let (full, resumed) = (self.tally.full, self.tally.resumed);
                writeln!(f, "handshakes   {full} full, {resumed} resumed")?;
            }
        }
        for (error, count) in &self.tally.errors {
            writeln!(f, "error        {error}: {count}")?;
        }
        Ok(())
    }
}
