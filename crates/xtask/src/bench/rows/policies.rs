//! Decisions.

use serde_json::Value;

use crate::bench::finding::{Finding, Verdict};
use crate::bench::lab::Lab;
use crate::failure::{Failure, Outcome};

/// Nanoseconds that a decision may take.
const GOAL: f64 = 1_000.0;

/// Runs the bench of crate `policy`.
///
/// # Errors
/// When it fails.
pub(in crate::bench) fn measure(lab: &Lab<'_>) -> Outcome<Finding> {
    finding(&lab.cargo_bench("policy", "decision")?)
}

/// Every member in nanoseconds is a decision; the slowest counts.
fn finding(printed: &Value) -> Outcome<Finding> {
    let members = printed.as_object().into_iter().flatten();
    let decisions = members.filter_map(|(name, value)| {
        let name = name.strip_suffix("_ns")?.replace('_', " ");
        Some((name, value.as_f64()?))
    });
    let findings: Vec<Finding> = decisions
        .map(|(name, nanos)| {
            Finding::new(format!("{name}: {nanos:.0} ns"), Verdict::of(nanos < GOAL))
        })
        .collect();
    if findings.is_empty() {
        return Err(Failure::new("the bench printed no decision in nanoseconds"));
    }
    Ok(Finding::all(findings))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_slowest_decision_counts() {
        let found =
            finding(&json!({"documents": 10, "allow_last_ns": 169.4, "deny_ns": 80})).unwrap();
        assert_eq!(found, Finding::new("allow last: 169 ns; deny: 80 ns", Verdict::Pass));
        let slow = finding(&json!({"allow_ns": 10, "deny_ns": 1000})).unwrap();
        assert_eq!(slow.verdict, Verdict::Short);
        assert!(finding(&json!({"documents": 10})).is_err());
    }
}
