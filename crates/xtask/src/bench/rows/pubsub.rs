//! Publish-subscribe beside another broker.

use crate::bench::finding::{Finding, Verdict};
use crate::bench::lab::{DEVICES, Lab, OPEN, PAYLOAD};
use crate::bench::server::Server;
use crate::bench::statistic::alternate;
use crate::failure::Outcome;

/// Messages of each publisher on their way: fewer than any broker's default of what may be
/// unacknowledged.
const WINDOW: &str = "16";

/// Measures mosquitto and the server in turns; at least `goal` times mosquitto's deliveries are
/// wanted.
///
/// # Errors
/// When a broker does not come up, or loses or doubles messages.
pub(in crate::bench) fn measure(
    lab: &Lab<'_>,
    (shape, qos): (&str, &str),
    goal: f64,
) -> Outcome<Finding> {
    let mosquitto = lab.mosquitto()?;
    let server = lab.tenfour(OPEN)?;
    let [seconds, warmup] =
        [lab.effort.seconds, lab.effort.warmup].map(|number| number.to_string());
    let words = [
        ["--shape", shape],
        ["--qos", qos],
        ["--devices", DEVICES],
        ["--window", WINDOW],
        ["--payload", PAYLOAD],
        ["--seconds", &seconds],
        ["--warmup", &warmup],
    ];
    let words = [&["pubsub"][..], &words.concat()].concat();
    let deliveries =
        |broker: &Server| lab.load(broker, &words)?.number("/deliveries_per_server_cpu_second");
    let [base, value] =
        alternate(lab.effort.rounds, [&|| deliveries(&mosquitto), &|| deliveries(&server)])?;
    let figure = format!("{:.2} x ({value:.0} / {base:.0} a CPU second)", value / base);
    Ok(Finding::new(figure, Verdict::of(value >= goal * base)))
}
