//! What a second core costs.

use super::messages::Messages;
use crate::bench::configuration::Senders;
use crate::bench::finding::Finding;
use crate::bench::lab::{Lab, Setup};
use crate::bench::statistic::alternate;
use crate::failure::Outcome;

const SENDERS: u32 = 64;
/// How much more a message may cost on two cores.
const GOAL: f64 = 1.15;

/// Measures a server bound to one core and one on two, in turns.
///
/// # Errors
/// When a server does not come up or a run is no measurement.
pub(in crate::bench) fn measure(lab: &Lab<'_>) -> Outcome<Finding> {
    let one = lab.tenfour(Setup::new("one-core", Senders::Open).on("0"))?;
    let two = lab.tenfour(Setup::new("two-cores", Senders::Open).on("0,1"))?;
    let messages = Messages::new(SENDERS, &[]);
    let [of_one, of_two] =
        alternate(lab.effort.rounds, [&|| messages.cpu(lab, &one), &|| messages.cpu(lab, &two)])?;
    Ok(Finding::at_most("two cores", (of_two, of_one), GOAL))
}
