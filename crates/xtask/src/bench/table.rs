//! The table, for the terminal and for the documentation.

use std::fmt::{self, Write as _};

use crate::failure::Outcome;

use super::finding::Finding;
use super::row::Row;

/// One row with what came of it.
pub(super) struct Entry {
    /// Which one.
    pub(super) row: Row,
    /// What was found out, or why nothing was.
    pub(super) finding: Outcome<Finding>,
    /// How it was measured.
    pub(super) commands: Vec<String>,
}

/// All of them.
pub(super) struct Table<'a> {
    /// Where they come from.
    pub(super) machine: &'a dyn fmt::Display,
    /// In the order in which they were measured.
    pub(super) entries: &'a [Entry],
}

impl Entry {
    fn figure(&self) -> String {
        match &self.finding {
            Ok(finding) => finding.figure.clone(),
            Err(failure) => format!("failed: {failure}"),
        }
    }

    fn word(&self) -> &'static str {
        match &self.finding {
            Ok(finding) => finding.verdict.word(),
            Err(_) => "failed",
        }
    }
}

/// One line for the terminal.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "[{:^8}] {}", self.word(), self.row.title())?;
        writeln!(f, "           goal {}", self.row.goal())?;
        write!(f, "           {}", self.figure())
    }
}

impl Table<'_> {
    /// For the terminal.
    pub(super) fn text(&self) -> String {
        let mut text = format!("{}\n", self.machine);
        for entry in self.entries {
            writeln!(text, "{entry}").expect("a String takes everything");
        }
        text
    }

    /// For the documentation.
    pub(super) fn markdown(&self) -> String {
        let mut text = format!(
            "# Performance\n\n\
             Written by `cargo xtask bench`; repeat it on your machine, and compare ratios only.\n\n\
             {}.\n\n{INTRODUCTION}\n\
             | what | figure | goal | |\n|---|---|---|---|\n",
            self.machine
        );
        for entry in self.entries {
            let (title, goal) = (entry.row.title(), entry.row.goal());
            let cells = [title, &entry.figure(), goal, entry.word()].map(cell);
            writeln!(text, "| {} |", cells.join(" | ")).expect("a String takes everything");
        }
        text.push_str("\n## How each was measured\n");
        for entry in self.entries {
            let (slug, note) = (entry.row.slug(), entry.row.note());
            write!(text, "\n`{slug}`: {note}\n\n```sh\n").expect("a String takes everything");
            for command in &entry.commands {
                writeln!(text, "{command}").expect("a String takes everything");
            }
            text.push_str("```\n");
        }
        text
    }
}

const INTRODUCTION: &str = "\
CPU is user and system time of the server's process, per message or whatever the row counts. The floor
is `tenfour-floor`: one thread that reads a request, writes a PUBLISH, reads the PUBACK and writes an
answer, and does nothing else. What is compared was measured in turns, in one run, and the medians of
all rounds are compared. The load generator shares the machine. If a row does not say otherwise, the
server has one thread (`threads = 1`), as the floor and mosquitto have, though its default is one for
each core; there are 1,000 MQTT 5 devices, messages have 256 bytes, each sender has one request in flight on a
connection of its own, every policy is evaluated, every message is logged to a file at INFO, and
metrics are on.
";

/// Text that does not end a cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::finding::Verdict;
    use crate::failure::Failure;

    fn entries() -> Vec<Entry> {
        let commands = vec!["target/release/tenfour-load --json".to_owned()];
        vec![
            Entry {
                row: Row::Http2,
                finding: Ok(Finding::new("0.90 x", Verdict::Pass)),
                commands: commands.clone(),
            },
            Entry { row: Row::Offline, finding: Err(Failure::new("a | b\nc")), commands },
        ]
    }

    #[test]
    fn the_terminal_gets_figure_goal_and_verdict() {
        let text = Table { machine: &"here", entries: &entries() }.text();
        for word in ["here\n", "[  pass  ]", "0.90 x", Row::Http2.goal(), "failed: a | b"] {
            assert!(text.contains(word), "{word}: {text}");
        }
    }

    #[test]
    fn the_documentation_has_a_table_and_the_commands() {
        let text = Table { machine: &"here", entries: &entries() }.markdown();
        let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| ")).collect();
        assert_eq!(rows.len(), 3);
        assert!(rows[1].ends_with("| 0.90 x | <= 1.0 x floor | pass |"), "{}", rows[1]);
        assert!(rows[2].contains("failed: a \\| b c"), "{}", rows[2]);
        assert!(text.contains("```sh\ntarget/release/tenfour-load --json\n```"), "{text}");
    }
}
