//! Counts against the baseline.

use std::fmt::Write;

use super::Counts;
use super::baseline::Baseline;
use crate::failure::{Failure, Outcome};

/// How far a count may be from the baseline, either way. One and the same program differs by a
/// tenth of that from run to run, where it differs at all.
const TOLERANCE_PERCENT: f64 = 3.0;

/// A table for the terminal: scenario, baseline, now, change.
pub(super) fn table(baseline: &Counts, now: &Counts) -> String {
    let mut table = format!("{:<32}{:>10}{:>10}{:>10}\n", "scenario", "baseline", "now", "change");
    for (name, now) in now {
        // Writing to a string cannot fail.
        let _ = match baseline.get(name) {
            Some(before) => {
                writeln!(table, "{name:<32}{before:>10}{now:>10}{:>+9.1}%", percent(*before, *now))
            }
            None => writeln!(table, "{name:<32}{:>10}{now:>10}{:>10}", "-", "-"),
        };
    }
    table
}

/// Fails where a count is not as the baseline has it.
pub(super) fn judge(baseline: &Baseline, now: &Baseline) -> Outcome {
    let findings = findings(&baseline.instructions, &now.instructions);
    if findings.is_empty() {
        return Ok(());
    }
    let mut sentence = format!("instruction counts:\n  {}", findings.join("\n  "));
    if baseline.rustc != now.rustc {
        let _ = write!(
            sentence,
            "\n  the baseline was made with {}, this is {}, which alone can change counts",
            baseline.rustc, now.rustc
        );
    }
    Err(Failure::new(sentence))
}

/// What is wrong, a sentence each.
fn findings(baseline: &Counts, now: &Counts) -> Vec<String> {
    let mut findings = Vec::new();
    for (name, &now) in now {
        let Some(&before) = baseline.get(name) else {
            findings.push(format!("{name} is not in the baseline; {ACCEPT}"));
            continue;
        };
        let percent = percent(before, now);
        let change = format!("{name} takes {now} instructions, the baseline is {before}");
        if percent > TOLERANCE_PERCENT {
            findings.push(format!(
                "{change} ({percent:+.1} %); find out why (valgrind --tool=callgrind \
                 target/counts/counts {name} 10000), or if it is worth it {ACCEPT}"
            ));
        } else if percent < -TOLERANCE_PERCENT {
            findings.push(format!("{change} ({percent:+.1} %); to keep the improvement {ACCEPT}"));
        }
    }
    let gone = baseline.keys().filter(|name| !now.contains_key(*name));
    findings.extend(gone.map(|name| format!("{name} is in the baseline only; {ACCEPT}")));
    findings
}

const ACCEPT: &str = "accept it with `cargo xtask counts --accept`";

/// By how much `now` is above `before`.
fn percent(before: u64, now: u64) -> f64 {
    (now as f64 - before as f64) * 100.0 / before as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(list: &[(&str, u64)]) -> Counts {
        list.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }

    fn made_with(rustc: &str, list: &[(&str, u64)]) -> Baseline {
        Baseline { rustc: rustc.to_owned(), instructions: counts(list) }
    }

    #[test]
    fn three_percent_either_way_pass() {
        let baseline = counts(&[("a", 1_000), ("b", 1_000), ("c", 7)]);
        assert!(findings(&baseline, &counts(&[("a", 1_030), ("b", 970), ("c", 7)])).is_empty());
    }

    #[test]
    fn more_names_the_scenario_both_counts_and_the_percentage() {
        let found = findings(&counts(&[("a", 1_000)]), &counts(&[("a", 1_031)]));
        assert_eq!(found.len(), 1);
        for part in ["a takes 1031 instructions", "the baseline is 1000", "(+3.1 %)", "--accept"] {
            assert!(found[0].contains(part), "{}", found[0]);
        }
    }

    #[test]
    fn less_is_to_be_accepted() {
        let found = findings(&counts(&[("a", 1_000)]), &counts(&[("a", 500)]));
        assert!(found[0].contains("(-50.0 %); to keep the improvement accept it"), "{}", found[0]);
    }

    #[test]
    fn a_scenario_on_one_side_only_is_named() {
        let found = findings(&counts(&[("old", 1)]), &counts(&[("new", 1)]));
        assert!(found[0].starts_with("new is not in the baseline"), "{}", found[0]);
        assert!(found[1].starts_with("old is in the baseline only"), "{}", found[1]);
    }

    #[test]
    fn another_compiler_is_mentioned_where_a_count_differs() {
        let baseline = made_with("rustc 1", &[("a", 100)]);
        let failure = judge(&baseline, &made_with("rustc 2", &[("a", 200)])).unwrap_err();
        assert!(failure.to_string().contains("made with rustc 1, this is rustc 2"), "{failure}");
        let failure = judge(&baseline, &made_with("rustc 1", &[("a", 200)])).unwrap_err();
        assert!(!failure.to_string().contains("rustc"), "{failure}");
        assert!(judge(&baseline, &made_with("rustc 2", &[("a", 100)])).is_ok());
    }

    #[test]
    fn the_table_has_a_line_for_each_scenario() {
        let table = table(&counts(&[("a", 200)]), &counts(&[("a", 210), ("b", 3)]));
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[1].ends_with("200       210     +5.0%"), "{table}");
        assert!(lines[2].ends_with('-'), "{table}");
    }
}
