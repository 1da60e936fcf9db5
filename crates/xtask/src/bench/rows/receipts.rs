//! What it costs to know afterwards.

use super::messages::Messages;
use crate::bench::configuration::Senders;
use crate::bench::finding::Finding;
use crate::bench::lab::{Lab, Setup};
use crate::bench::statistic::alternate;
use crate::failure::Outcome;

const SENDERS: u32 = 64;
/// How much more a message may cost.
const GOAL: f64 = 1.1;

/// Measures messages with and without an idempotency key in turns, on a server that knows them after
/// a restart.
///
/// # Errors
/// When the server does not come up or a run is no measurement.
pub(in crate::bench) fn measure_keys(lab: &Lab<'_>) -> Outcome<Finding> {
    let server = lab.tenfour(Setup::new("keys", Senders::Open).kept("batched"))?;
    let cpu = |more| Messages::new(SENDERS, more).cpu(lab, &server);
    let [without, with] =
        alternate(lab.effort.rounds, [&|| cpu(&[]), &|| cpu(&["--idempotency-keys"])])?;
    Ok(Finding::at_most("with keys", (with, without), GOAL))
}

/// Measures a server that keeps receipts and one that keeps a single one, in turns.
///
/// # Errors
/// When a server does not come up or a run is no measurement.
pub(in crate::bench) fn measure_receipts(lab: &Lab<'_>) -> Outcome<Finding> {
    let setup = |name| Setup::new(name, Senders::Open).kept("batched");
    let forgetful = lab.tenfour(setup("one-receipt").with_receipts(1))?;
    let usual = lab.tenfour(setup("receipts"))?;
    let messages = Messages::new(SENDERS, &[]);
    let [without, with] = alternate(
        lab.effort.rounds,
        [&|| messages.cpu(lab, &forgetful), &|| messages.cpu(lab, &usual)],
    )?;
    Ok(Finding::at_most("200,000 receipts", (with, without), GOAL))
}
