//! Latency at a rate that leaves room.

use super::messages::Messages;
use crate::bench::finding::{Finding, Verdict};
use crate::bench::lab::{Floor, Lab, OPEN};
use crate::bench::server::Server;
use crate::bench::statistic::alternate;
use crate::failure::{Failure, Outcome};

const SENDERS: u32 = 16;
/// How much slower than the floor's the slowest hundredth may be.
const GOAL: f64 = 1.5;

/// Measures the highest rate, then both at half of it, in turns.
///
/// # Errors
/// When a server does not come up, a run is no measurement or the rate was not kept up with.
pub(in crate::bench) fn measure(lab: &Lab<'_>) -> Outcome<Finding> {
    let floor = lab.floor(Floor::Plain)?;
    let server = lab.tenfour(OPEN)?;
    let closed = Messages::new(SENDERS, &[]);
    let highest = || closed.send(lab, &server)?.number("/throughput_per_second");
    let [highest] = alternate(lab.effort.rounds, [&highest])?;
    let rate = ((highest / 2.0) as u32).max(1).to_string();
    let paced = ["--rate", &rate];
    let open = Messages::new(SENDERS, &paced);
    let p99 = |server: &Server| {
        let measurement = open.send(lab, server)?;
        if !measurement.kept_up() {
            return Err(Failure::new(format!("{rate} messages/s were not kept up with")));
        }
        measurement.number("/latency_us/p99")
    };
    let [of_floor, of_server] = alternate(lab.effort.rounds, [&|| p99(&floor), &|| p99(&server)])?;
    let figure = format!(
        "{:.2} x ({of_server:.0} / {of_floor:.0} us at {rate}/s, half of {highest:.0}/s)",
        of_server / of_floor
    );
    Ok(Finding::new(figure, Verdict::of(of_server <= GOAL * of_floor)))
}
