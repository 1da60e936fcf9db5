//! What TLS adds.

use super::messages::{Messages, SIGNED};
use crate::bench::finding::{Finding, Verdict};
use crate::bench::lab::{self, Floor, Lab};
use crate::bench::statistic::alternate;
use crate::failure::Outcome;

const SENDERS: u32 = 64;
const TLS: [&str; 4] = ["--transport", "https", "--device-transport", "tls"];
/// How much more than the records themselves TLS may cost the server.
const GOAL: f64 = 1.3;

/// Measures floor and server, each plain and with TLS, in turns.
///
/// # Errors
/// When a server does not come up or a run is no measurement.
pub(in crate::bench) fn measure(lab: &Lab<'_>) -> Outcome<Finding> {
    let floor = lab.floor(Floor::Plain)?;
    let floor_tls = lab.floor(Floor::Tls)?;
    let server = lab.tenfour(lab::SIGNED)?;
    let tls = [&SIGNED[..], &TLS].concat();
    let (plain, tls) = (Messages::new(SENDERS, &SIGNED), Messages::new(SENDERS, &tls));
    let [floor_plain, floor_tls, server_plain, server_tls] = alternate(
        lab.effort.rounds,
        [
            &|| plain.cpu(lab, &floor),
            &|| tls.cpu(lab, &floor_tls),
            &|| plain.cpu(lab, &server),
            &|| tls.cpu(lab, &server),
        ],
    )?;
    let (added, records) = (server_tls - server_plain, floor_tls - floor_plain);
    let figure = format!(
        "{:.2} x ({added:.1} / {records:.1} us; server {server_tls:.1} - {server_plain:.1}, floor \
         {floor_tls:.1} - {floor_plain:.1})",
        added / records
    );
    Ok(Finding::new(figure, Verdict::of(added <= GOAL * records)))
}
