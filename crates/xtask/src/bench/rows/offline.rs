//! Messages for nobody.

use super::messages::Messages;
use crate::bench::configuration::Senders;
use crate::bench::finding::{Finding, Verdict};
use crate::bench::lab::{Lab, Setup};
use crate::bench::statistic::alternate;
use crate::failure::Outcome;

const SENDERS: u32 = 64;
/// The part of a confirmed message that a 404 may cost.
const GOAL: f64 = 0.8;
/// How many others are connected.
const CROWD: u32 = 10_000;
/// How much more it may cost beside them, which is noise.
const SAME: f64 = 1.15;

/// Measures confirmed messages, and 404s of a server with nobody and of one with a crowd, in turns.
///
/// # Errors
/// When a server does not come up or a run is no measurement.
pub(in crate::bench) fn measure(lab: &Lab<'_>) -> Outcome<Finding> {
    let empty = lab.tenfour(Setup::new("empty", Senders::Open))?;
    let crowded = lab.tenfour(Setup::new("crowded", Senders::Open))?;
    let _crowd = lab.hold(&crowded, CROWD)?;
    let confirmed = Messages::new(SENDERS, &[]);
    // Others than those who are there.
    let first = (CROWD + 1).to_string();
    let absent = ["--offline", "--first", &first];
    let offline = Messages::new(SENDERS, &absent);
    let [whole, alone, beside] = alternate(
        lab.effort.rounds,
        [&|| confirmed.cpu(lab, &empty), &|| offline.cpu(lab, &empty), &|| {
            offline.cpu(lab, &crowded)
        }],
    )?;
    let grown = format!("{:.2} x with {CROWD} connected ({beside:.1} us)", beside / alone);
    Ok(Finding::all(vec![
        Finding::at_most("of a confirmed message", (alone, whole), GOAL),
        Finding::new(grown, Verdict::of(beside <= SAME * alone && beside <= GOAL * whole)),
    ]))
}
