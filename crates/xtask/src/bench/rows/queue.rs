//! Messages for sessions that are offline, beside another broker.

use crate::bench::finding::{Finding, Verdict};
use crate::bench::lab::{Lab, OPEN, PAYLOAD};
use crate::bench::server::Server;
use crate::bench::statistic::alternate_figures;
use crate::failure::Outcome;

/// Messages for each session.
const MESSAGES: &str = "10";
/// The JSON pointers of the figures: of each phase, by CPU time of the broker and by time.
const FIGURES: [&str; 4] = [
    "/queueing/messages_per_server_cpu_second",
    "/queueing/messages_per_second",
    "/draining/messages_per_server_cpu_second",
    "/draining/messages_per_second",
];

/// Measures mosquitto and the server in turns.
///
/// # Errors
/// When a broker does not come up, forgets a session, or loses or doubles messages.
pub(in crate::bench) fn measure(lab: &Lab<'_>) -> Outcome<Finding> {
    let mosquitto = lab.mosquitto()?;
    let server = lab.tenfour(OPEN)?;
    let sessions = lab.effort.sessions.to_string();
    let words = ["queue", "--sessions", &sessions, "--messages", MESSAGES, "--payload", PAYLOAD];
    let figures = |broker: &Server| {
        let measurement = lab.load(broker, &words)?;
        let mut values = [0.0; FIGURES.len()];
        for (value, pointer) in values.iter_mut().zip(FIGURES) {
            *value = measurement.number(pointer)?;
        }
        Ok(values)
    };
    let [base, value] =
        alternate_figures(lab.effort.rounds, [&|| figures(&mosquitto), &|| figures(&server)])?;
    let [queued, queueing, fetched, fetching] = value;
    let [queued_base, queueing_base, fetched_base, fetching_base] = base;
    Ok(Finding::all(vec![
        phase("queued", (queued, queued_base), (queueing, queueing_base)),
        phase("fetched", (fetched, fetched_base), (fetching, fetching_base)),
    ]))
}

fn phase(name: &str, (value, base): (f64, f64), (rate, base_rate): (f64, f64)) -> Finding {
    let figure = format!(
        "{name}: {:.2} x ({value:.0} / {base:.0} a CPU second; {rate:.0}/s beside {base_rate:.0}/s)",
        value / base
    );
    Finding::new(figure, Verdict::Reported)
}
