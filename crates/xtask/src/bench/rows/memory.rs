//! What an idle device takes.

use crate::bench::finding::{Finding, Verdict};
use crate::bench::lab::{Lab, OPEN};
use crate::bench::statistic::alternate;
use crate::failure::Outcome;

/// Measures fresh servers with devices on this transport; at most `goal` bytes are wanted.
///
/// # Errors
/// When a server does not come up or a device does not get in.
pub(in crate::bench) fn measure(lab: &Lab<'_>, transport: &str, goal: f64) -> Outcome<Finding> {
    let (from, to) = lab.effort.idle;
    let [first, last] = [from, to].map(|devices| devices.to_string());
    let slope = || {
        let server = lab.tenfour(OPEN)?;
        let words = ["idle", "--device-transport", transport, "--from", &first, "--devices", &last];
        let words = [&words[..], &["--steps", "3", "--settle", "1000"]].concat();
        lab.load(&server, &words)?.number("/bytes_per_device")
    };
    let [bytes] = alternate(lab.effort.memory_rounds, [&slope])?;
    let figure = format!("{bytes:.0} bytes, from {from} to {to} devices");
    Ok(Finding::new(figure, Verdict::of(bytes <= goal)))
}
