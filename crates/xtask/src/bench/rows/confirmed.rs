//! Messages over plain HTTP beside the floor.

use super::messages::Messages;
use crate::bench::finding::Finding;
use crate::bench::lab::{self, Floor, Lab, Setup};
use crate::bench::statistic::alternate;
use crate::failure::Outcome;

/// How many senders there are, each with one request in flight.
const ALL_SENDERS: &[u32] = &[16, 64, 256];

/// One row.
pub(in crate::bench) struct Case {
    setup: Setup,
    /// How the server's messages differ from the floor's.
    more: &'static [&'static str],
    counts: &'static [u32],
    /// The ratio that is wanted.
    goal: f64,
}

/// Everybody may send; the device's policy is evaluated.
pub(in crate::bench) const UNSIGNED: Case =
    Case { setup: lab::OPEN, more: &[], counts: ALL_SENDERS, goal: 1.25 };
/// The same on as many threads as there are cores.
pub(in crate::bench) const ON_EVERY_CORE: Case =
    Case { setup: lab::OPEN.on_every_core(), more: &[], counts: ALL_SENDERS, goal: 1.25 };
/// Signed, both policies.
pub(in crate::bench) const SIGNED: Case =
    Case { setup: lab::SIGNED, more: &["--auth", "sigv4"], counts: ALL_SENDERS, goal: 1.5 };
/// The same, one HTTP/2 connection.
pub(in crate::bench) const HTTP2: Case =
    Case { setup: lab::SIGNED, more: &["--auth", "sigv4", "--http2"], counts: &[64], goal: 1.0 };
/// The same, HTTP/1.1, without waiting for the device.
pub(in crate::bench) const UNCONFIRMED: Case = Case {
    setup: lab::SIGNED,
    more: &["--auth", "sigv4", "--no-confirm"],
    counts: ALL_SENDERS,
    goal: 1.1,
};

/// Measures floor and server in turns, for each number of senders.
///
/// # Errors
/// When a server does not come up or a run is no measurement.
pub(in crate::bench) fn measure(lab: &Lab<'_>, case: &Case) -> Outcome<Finding> {
    let floor = lab.floor(Floor::Plain)?;
    let server = lab.tenfour(case.setup)?;
    let mut findings = Vec::new();
    for &senders in case.counts {
        let of_floor = || Messages::new(senders, &[]).cpu(lab, &floor);
        let of_server = || Messages::new(senders, case.more).cpu(lab, &server);
        let [base, value] = alternate(lab.effort.rounds, [&of_floor, &of_server])?;
        findings.push(Finding::at_most(&format!("{senders} senders"), (value, base), case.goal));
    }
    Ok(Finding::all(findings))
}
