//! Runs of the load generator with messages.

use crate::bench::lab::{DEVICES, Lab, PAYLOAD};
use crate::bench::measurement::Measurement;
use crate::bench::server::Server;
use crate::failure::Outcome;

/// The JSON pointer of what a message costs the server, in microseconds.
pub(super) const CPU: &str = "/server_cpu_us_per_message";

/// Options that sign requests.
pub(super) const SIGNED: [&str; 2] = ["--auth", "sigv4"];

/// Messages of many senders to many devices.
pub(super) struct Messages<'a> {
    /// How many senders there are.
    pub(super) senders: u32,
    /// How many devices, as an option's value.
    pub(super) devices: &'a str,
    /// Further options.
    pub(super) more: &'a [&'a str],
}

impl<'a> Messages<'a> {
    /// Of `senders` to the usual number of devices.
    pub(super) fn new(senders: u32, more: &'a [&'a str]) -> Self {
        Self { senders, devices: DEVICES, more }
    }

    /// Sends them for the time that figures get.
    ///
    /// # Errors
    /// When the run is no measurement.
    pub(super) fn send(&self, lab: &Lab<'_>, server: &Server) -> Outcome<Measurement> {
        let numbers = [self.senders, lab.effort.seconds, lab.effort.warmup];
        let [senders, seconds, warmup] = numbers.map(|number| number.to_string());
        let fixed = [
            ["--devices", self.devices],
            ["--senders", &senders],
            ["--payload", PAYLOAD],
            ["--seconds", &seconds],
            ["--warmup", &warmup],
        ];
        let mut words = fixed.concat();
        words.extend(self.more);
        if self.more.starts_with(&SIGNED) {
            words.extend(server.key.iter().map(String::as_str));
        }
        lab.load(server, &words)
    }

    /// What a message costs the server, in microseconds of CPU.
    ///
    /// # Errors
    /// When the run is no measurement.
    pub(super) fn cpu(&self, lab: &Lab<'_>, server: &Server) -> Outcome<f64> {
        self.send(lab, server)?.number(CPU)
    }
}
