//! Devices that come and go.

use crate::bench::finding::{Finding, Verdict};
use crate::bench::lab::{Floor, Lab, OPEN};
use crate::bench::measurement::Measurement;
use crate::bench::server::Server;
use crate::bench::statistic::alternate;
use crate::failure::Outcome;

/// Devices that come and go at the same time.
const CONCURRENCY: &str = "16";
/// The JSON pointer of what a cycle costs the server.
const CPU: &str = "/server_cpu_us_per_cycle";
/// How much more than the floor a cycle may cost.
const GOAL: f64 = 1.3;

/// Without TLS, beside the floor.
///
/// # Errors
/// When a server does not come up or a run is no measurement.
pub(in crate::bench) fn measure_plain(lab: &Lab<'_>) -> Outcome<Finding> {
    let floor = lab.floor(Floor::Plain)?;
    let server = lab.tenfour(OPEN)?;
    let cpu = |server: &Server| cycles(lab, server, &["plain"])?.number(CPU);
    let [base, value] = alternate(lab.effort.rounds, [&|| cpu(&floor), &|| cpu(&server)])?;
    Ok(Finding::at_most("a cycle", (value, base), GOAL))
}

/// With mutual TLS and resumption.
///
/// # Errors
/// When the server does not come up or a run is no measurement.
pub(in crate::bench) fn measure_tls(lab: &Lab<'_>) -> Outcome<Finding> {
    let server = lab.tenfour(OPEN)?;
    let last = std::cell::RefCell::new(None);
    let cpu = || {
        let measurement = cycles(lab, &server, &["tls"])?;
        let cpu = measurement.number(CPU);
        last.replace(Some(measurement));
        cpu
    };
    let [micros] = alternate(lab.effort.rounds, [&cpu])?;
    let handshakes = |kind| {
        let last = last.borrow();
        let measurement: &Measurement = last.as_ref().expect("there was a round");
        measurement.number(kind)
    };
    let (full, resumed) =
        (handshakes("/tls_handshakes/full")?, handshakes("/tls_handshakes/resumed")?);
    let figure = format!("{micros:.0} us a cycle; {resumed} handshakes resumed, {full} full");
    Ok(Finding::new(figure, Verdict::Reported))
}

/// With sessions that outlive their connections and are resumed in turn, beside mosquitto.
///
/// # Errors
/// When a broker does not come up or a run is no measurement.
pub(in crate::bench) fn measure_sessions(lab: &Lab<'_>) -> Outcome<Finding> {
    let mosquitto = lab.mosquitto()?;
    let server = lab.tenfour(OPEN)?;
    let sessions = lab.effort.sessions.to_string();
    let cpu =
        |broker: &Server| cycles(lab, broker, &["plain", "--sessions", &sessions])?.number(CPU);
    let [base, value] = alternate(lab.effort.rounds, [&|| cpu(&mosquitto), &|| cpu(&server)])?;
    Ok(Finding::reported("a cycle", (value, base)))
}

/// `transport` may be followed by further options.
fn cycles(lab: &Lab<'_>, server: &Server, transport: &[&str]) -> Outcome<Measurement> {
    let [seconds, warmup] =
        [lab.effort.seconds, lab.effort.warmup].map(|number| number.to_string());
    let words = ["connects", "--concurrency", CONCURRENCY, "--device-transport"];
    let times = ["--seconds", &seconds, "--warmup", &warmup];
    lab.load(server, &[&words[..], transport, &times].concat())
}
