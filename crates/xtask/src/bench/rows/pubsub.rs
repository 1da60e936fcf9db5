//! Publish-subscribe beside another broker.

use crate::bench::finding::{Finding, Verdict};
use crate::bench::lab::{DEVICES, Lab, OPEN, PAYLOAD};
use crate::bench::measurement::Measurement;
use crate::bench::server::Server;
use crate::bench::statistic::{alternate, alternate_figures};
use crate::failure::{Failure, Outcome};

/// Messages of each publisher on their way: fewer than any broker's default of what may be
/// unacknowledged.
const WINDOW: &str = "16";
/// The quality of service whose latency is measured.
const LATENCY_QOS: &str = "1";

/// Measures mosquitto and the server in turns; if there is a goal, at least so many times
/// mosquitto's deliveries are wanted.
///
/// # Errors
/// When a broker does not come up, or loses or doubles messages.
pub(in crate::bench) fn measure(
    lab: &Lab<'_>,
    (shape, qos): (&str, &str),
    goal: Option<f64>,
) -> Outcome<Finding> {
    let mosquitto = lab.mosquitto()?;
    // AWS has no QoS 2.
    let server = lab.tenfour(if qos == "2" { OPEN.to_the_letter() } else { OPEN })?;
    let deliveries = |broker: &Server| {
        run(lab, broker, (shape, qos), &[])?.number("/deliveries_per_server_cpu_second")
    };
    let [base, value] =
        alternate(lab.effort.rounds, [&|| deliveries(&mosquitto), &|| deliveries(&server)])?;
    let figure = format!("{:.2} x ({value:.0} / {base:.0} a CPU second)", value / base);
    let verdict = goal.map_or(Verdict::Reported, |goal| Verdict::of(value >= goal * base));
    Ok(Finding::new(figure, verdict))
}

/// Measures 99th percentiles of pairs at half of mosquitto's highest rate, in turns.
///
/// # Errors
/// When a broker does not come up, does not keep up, or loses or doubles messages.
pub(in crate::bench) fn measure_pairs_latency(lab: &Lab<'_>) -> Outcome<Finding> {
    measure_latency(lab, "pairs", [("p99", "/latency_us/p99")])
}

/// The same of one publisher and many subscribers: of each delivery, and of the last one of each
/// message.
///
/// # Errors
/// When a broker does not come up, does not keep up, or loses or doubles messages.
pub(in crate::bench) fn measure_fanout_latency(lab: &Lab<'_>) -> Outcome<Finding> {
    let figures = [("each", "/latency_us/p99"), ("the last", "/last_receiver_latency_us/p99")];
    measure_latency(lab, "fanout", figures)
}

fn measure_latency<const N: usize>(
    lab: &Lab<'_>,
    shape: &str,
    figures: [(&str, &str); N],
) -> Outcome<Finding> {
    let mosquitto = lab.mosquitto()?;
    let server = lab.tenfour(OPEN)?;
    let fastest = run(lab, &mosquitto, (shape, LATENCY_QOS), &[])?;
    let highest = fastest.number("/published")? / fastest.number("/measured_seconds")?;
    // A publisher of a fan sends few messages, and a rate is a whole number.
    let half = (highest / 2.0).max(1.0).round();
    let rate = half.to_string();
    let latency = |broker: &Server| {
        let run = run(lab, broker, (shape, LATENCY_QOS), &["--rate", &rate])?;
        if !run.kept_up() {
            return Err(Failure::new(format!("a broker did not keep up with {rate} messages/s")));
        }
        let mut values = [0.0; N];
        for (value, (_, pointer)) in values.iter_mut().zip(figures) {
            *value = run.number(pointer)?;
        }
        Ok(values)
    };
    let [base, value] =
        alternate_figures(lab.effort.rounds, [&|| latency(&mosquitto), &|| latency(&server)])?;
    let mut findings: Vec<Finding> = figures
        .iter()
        .zip(value.into_iter().zip(base))
        .map(|((name, _), pair)| Finding::reported(name, pair))
        .collect();
    let rates = format!("at {half:.0} messages/s, half of {highest:.0}");
    findings.push(Finding::new(rates, Verdict::Reported));
    Ok(Finding::all(findings))
}

fn run(
    lab: &Lab<'_>,
    broker: &Server,
    (shape, qos): (&str, &str),
    more: &[&str],
) -> Outcome<Measurement> {
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
    lab.load(broker, &[&["pubsub"][..], &words.concat(), more].concat())
}
