//! Statements beside the tests that cite them.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::failure::{Failure, Outcome};

use super::citation::Citation;
use super::statement::{Concern, Standard, Statement};

/// The statements, the tests of each, and what is wrong with the citations.
pub(super) struct Ledger {
    rows: Vec<Row>,
    /// Sentences with file and line.
    mistakes: Vec<String>,
}

struct Row {
    statement: Statement,
    /// The tests that cite it, each once.
    tests: Vec<String>,
}

/// How many statements of a standard are in which state.
#[derive(Default)]
struct Tally {
    all: usize,
    tested: usize,
    not_applicable: usize,
    missing: usize,
}

impl Ledger {
    pub(super) fn new(statements: Vec<Statement>, citations: Vec<Citation>) -> Self {
        let mut rows: Vec<Row> =
            statements.into_iter().map(|statement| Row { statement, tests: vec![] }).collect();
        let places: BTreeMap<(Standard, String), usize> = rows
            .iter()
            .enumerate()
            .map(|(at, row)| ((row.statement.standard, row.statement.number.clone()), at))
            .collect();
        let mut mistakes = Vec::new();
        for citation in citations {
            let Citation { standard, number, path, line, test } = citation;
            let place = format!("{}:{line}", path.display());
            let Some(&at) = places.get(&(standard, number.clone())) else {
                mistakes.push(format!("{place}: {standard} has no statement `{number}`"));
                continue;
            };
            let row = &mut rows[at];
            let Some(test) = test else { continue };
            if let Some(reason) = row.not_applicable() {
                mistakes.push(format!("{place}: a test cites {standard} {number}, {reason}"));
            }
            if !row.tests.contains(&test) {
                row.tests.push(test);
            }
        }
        Self { rows, mistakes }
    }

    /// Every statement: number, gist, then the tests or why there is none.
    pub(super) fn table(&self) -> String {
        self.lines_of(|_| true)
    }

    /// The statements without a test.
    pub(super) fn missing(&self) -> String {
        self.lines_of(Row::is_missing)
    }

    /// A line a standard.
    pub(super) fn summary(&self) -> String {
        let mut out = String::new();
        for (standard, tally) in self.tallies() {
            let Tally { all, tested, not_applicable, missing } = tally;
            let _ = writeln!(
                out,
                "{standard}: {all} statements, {tested} tested, {not_applicable} not applicable, \
                 {missing} missing"
            );
        }
        out
    }

    /// Refuses mistakes, and what is missing when that is asked for.
    pub(super) fn judge(&self, strict: bool) -> Outcome {
        for mistake in &self.mistakes {
            println!("{mistake}");
        }
        if !self.mistakes.is_empty() {
            let count = self.mistakes.len();
            return Err(Failure::new(format!("{count} citations do not fit the standards")));
        }
        let missing = self.rows.iter().filter(|row| row.is_missing()).count();
        if strict && missing > 0 {
            return Err(Failure::new(format!("{missing} statements have no test")));
        }
        Ok(())
    }

    fn lines_of(&self, wanted: impl Fn(&Row) -> bool) -> String {
        let mut out = String::new();
        let mut standard = None;
        for row in self.rows.iter().filter(|row| wanted(row)) {
            if standard != Some(row.statement.standard) {
                standard = Some(row.statement.standard);
                let _ = writeln!(out, "{}", row.statement.standard);
            }
            let _ = writeln!(out, "  {:<9} {}", row.statement.number, row.statement.gist);
            for line in row.state() {
                let _ = writeln!(out, "            {line}");
            }
        }
        out
    }

    fn tallies(&self) -> BTreeMap<Standard, Tally> {
        let mut tallies: BTreeMap<Standard, Tally> = BTreeMap::new();
        for row in &self.rows {
            let tally = tallies.entry(row.statement.standard).or_default();
            tally.all += 1;
            if row.not_applicable().is_some() {
                tally.not_applicable += 1;
            } else if row.is_missing() {
                tally.missing += 1;
            } else {
                tally.tested += 1;
            }
        }
        tallies
    }
}

impl Row {
    fn is_missing(&self) -> bool {
        self.not_applicable().is_none() && self.tests.is_empty()
    }

    fn not_applicable(&self) -> Option<String> {
        match &self.statement.concern {
            Concern::Server => None,
            Concern::Client => Some("n/a: it concerns clients only".to_owned()),
            Concern::Nothing(reason) => Some(format!("n/a: {reason}")),
        }
    }

    fn state(&self) -> Vec<String> {
        if self.is_missing() {
            return vec!["MISSING".to_owned()];
        }
        self.not_applicable().into_iter().chain(self.tests.iter().cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn statement(number: &str, concern: Concern) -> Statement {
        let gist = format!("gist of {number}");
        Statement { standard: Standard::V5, number: number.to_owned(), gist, concern }
    }

    fn citation(number: &str, test: Option<&str>) -> Citation {
        let path = PathBuf::from("crates/a/tests/lamp.rs");
        let (number, test) = (number.to_owned(), test.map(str::to_owned));
        Citation { standard: Standard::V5, number, path, line: 7, test }
    }

    fn ledger(citations: Vec<Citation>) -> Ledger {
        let statements = vec![
            statement("1.0.0-1", Concern::Server),
            statement("1.0.0-2", Concern::Client),
            statement("1.0.0-3", Concern::Nothing("not here".to_owned())),
        ];
        Ledger::new(statements, citations)
    }

    #[test]
    fn a_statement_without_a_test_is_missing_and_refused_when_strict() {
        let ledger = ledger(vec![citation("1.0.0-1", None)]);
        assert!(ledger.judge(false).is_ok());
        assert!(ledger.judge(true).is_err());
        assert_eq!(
            ledger.missing(),
            "MQTT 5.0\n  1.0.0-1   gist of 1.0.0-1\n            MISSING\n"
        );
        let summary = "MQTT 5.0: 3 statements, 0 tested, 2 not applicable, 1 missing\n";
        assert_eq!(ledger.summary(), summary);
    }

    #[test]
    fn the_table_names_each_test_once() {
        let twice = vec![citation("1.0.0-1", Some("a::b")), citation("1.0.0-1", Some("a::b"))];
        let ledger = ledger(twice);
        assert!(ledger.judge(true).is_ok());
        let table = ledger.table();
        assert_eq!(table.matches("a::b").count(), 1);
        assert!(table.contains("n/a: it concerns clients only"));
        assert!(table.contains("n/a: not here"));
    }

    #[test]
    fn a_number_that_does_not_exist_is_a_mistake_wherever_it_stands() {
        for test in [None, Some("a::b")] {
            let ledger = ledger(vec![citation("9.9.9-9", test)]);
            assert!(ledger.judge(false).is_err());
            let sentence = "crates/a/tests/lamp.rs:7: MQTT 5.0 has no statement `9.9.9-9`";
            assert_eq!(ledger.mistakes, [sentence]);
        }
    }

    #[test]
    fn a_test_of_what_does_not_apply_is_a_mistake() {
        for number in ["1.0.0-2", "1.0.0-3"] {
            assert!(ledger(vec![citation(number, Some("a::b"))]).judge(false).is_err());
            assert!(ledger(vec![citation(number, None)]).judge(false).is_ok());
        }
    }
}
