//! What grows with the number of devices and sessions.

use serde_json::Value;

use super::messages::{Messages, SIGNED};
use crate::bench::configuration::{OTHERS, Registry, Senders};
use crate::bench::finding::{Finding, Verdict};
use crate::bench::lab::{DEVICES, Lab, OPEN, Setup};
use crate::bench::statistic::alternate;
use crate::failure::{Failure, Outcome};

const SENDERS: u32 = 64;
/// How much more a message may cost among many.
const GOAL: f64 = 1.15;

/// Measures few and many connected devices in turns.
///
/// # Errors
/// When the server does not come up or a run is no measurement.
pub(in crate::bench) fn measure_devices(lab: &Lab<'_>) -> Outcome<Finding> {
    let server = lab.tenfour(OPEN)?;
    let many = lab.effort.many.to_string();
    let cpu = |devices| Messages { senders: SENDERS, devices, more: &[] }.cpu(lab, &server);
    let [few, among_many] = alternate(lab.effort.rounds, [&|| cpu(DEVICES), &|| cpu(&many)])?;
    Ok(Finding::at_most(&format!("{many} devices"), (among_many, few), GOAL))
}

/// Measures a server that knows few principals and one that knows many, in turns.
///
/// # Errors
/// When a server does not come up or a run is no measurement.
pub(in crate::bench) fn measure_principals(lab: &Lab<'_>) -> Outcome<Finding> {
    let small = lab.tenfour(Setup::new("small", Senders::Signed))?;
    let large = Setup::new("large", Senders::Signed).knowing(Registry::Large);
    let large = lab.tenfour(large)?;
    let messages = Messages::new(SENDERS, &SIGNED);
    let [few, among_many] = alternate(
        lab.effort.rounds,
        [&|| messages.cpu(lab, &small), &|| messages.cpu(lab, &large)],
    )?;
    let what = format!("{OTHERS} other devices and {OTHERS} other senders");
    Ok(Finding::at_most(&what, (among_many, few), GOAL))
}

/// Runs the bench of crate `broker`.
///
/// # Errors
/// When there is none, or it fails.
pub(in crate::bench) fn measure_sessions(lab: &Lab<'_>) -> Outcome<Finding> {
    let bench = lab.repository.root().join("crates/broker/benches/sessions.rs");
    if !bench.exists() {
        return Err(Failure::new("crates/broker has no bench `sessions`"));
    }
    Ok(finding(&lab.cargo_bench("broker", "sessions")?))
}

/// Every member that is a number, and a verdict by the one called `ratio`.
fn finding(printed: &Value) -> Finding {
    let members = printed.as_object().into_iter().flatten();
    let figures: Vec<String> = members
        .filter(|(_, value)| value.is_number())
        .map(|(name, value)| format!("{}: {value}", name.replace('_', " ")))
        .collect();
    let verdict = match printed["ratio"].as_f64() {
        Some(ratio) => Verdict::of(ratio <= GOAL),
        None => Verdict::Reported,
    };
    Finding::new(figures.join("; "), verdict)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_ratio_counts() {
        let found = finding(&json!({"ratio": 1.1, "few_ns": 100, "note": "x"}));
        assert_eq!(found, Finding::new("few ns: 100; ratio: 1.1", Verdict::Pass));
        assert_eq!(finding(&json!({"ratio": 1.2})).verdict, Verdict::Short);
        assert_eq!(finding(&json!({"few_ns": 1})).verdict, Verdict::Reported);
    }
}
