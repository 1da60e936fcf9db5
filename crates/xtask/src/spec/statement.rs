//! The statements, read from one table a standard.

use std::fmt;

use crate::failure::{Failure, Outcome};

/// A standard with numbered statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standard {
    /// MQTT 3.1.1, cited as `MQTT3-` and a number.
    V311,
    /// MQTT 5.0, cited as `MQTT-` and a number.
    V5,
}

/// A numbered statement.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) standard: Standard,
    /// Such as `3.1.2-24`.
    pub(super) number: String,
    /// What it says, in a few words.
    pub(super) gist: String,
    pub(super) concern: Concern,
}

/// Whom a statement is about.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Concern {
    /// The server, or a client whose breach the server has to notice: there is a test.
    Server,
    /// Clients alone.
    Client,
    /// Something that this server does not have, and why there is nothing to test.
    Nothing(String),
}

const TABLES: [(Standard, &str, &str); 2] = [
    (Standard::V311, "mqtt-3.1.1.txt", include_str!("mqtt-3.1.1.txt")),
    (Standard::V5, "mqtt-5.0.txt", include_str!("mqtt-5.0.txt")),
];

impl Standard {
    /// The statements of both standards, in the order of their numbers.
    pub(super) fn read_all() -> Outcome<Vec<Statement>> {
        let mut all = Vec::new();
        for (standard, file, table) in TABLES {
            all.extend(standard.read(file, table)?);
        }
        Ok(all)
    }

    /// Reads a table: a line a statement, with its number, its gist and its concern.
    fn read(self, file: &str, table: &str) -> Outcome<Vec<Statement>> {
        let mut statements: Vec<Statement> = Vec::new();
        for (index, line) in table.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |what: &str| Failure::new(format!("{file}:{}: {what}", index + 1));
            let statement = self.statement(line).map_err(|what| wrong(&what))?;
            let order =
                numbers(&statement.number).ok_or_else(|| wrong("no number like 3.1.2-24"))?;
            let before = statements.last().and_then(|last| numbers(&last.number));
            if before.is_some_and(|before| before >= order) {
                return Err(wrong("the number is not above the one before"));
            }
            statements.push(statement);
        }
        Ok(statements)
    }

    fn statement(self, line: &str) -> Result<Statement, String> {
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        let [number, gist, concern] = columns[..] else {
            return Err(format!("{} columns; number | gist | concern", columns.len()));
        };
        if gist.is_empty() {
            return Err("no gist".to_owned());
        }
        let concern = match concern {
            "server" => Concern::Server,
            "client" => Concern::Client,
            other => match other.strip_prefix("n/a:").map(str::trim) {
                Some(reason) if !reason.is_empty() => Concern::Nothing(reason.to_owned()),
                Some(_) | None => {
                    return Err(format!("`{other}` is not server, client or n/a: with a reason"));
                }
            },
        };
        let (number, gist) = (number.to_owned(), gist.to_owned());
        Ok(Statement { standard: self, number, gist, concern })
    }
}

impl fmt::Display for Standard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V311 => "MQTT 3.1.1",
            Self::V5 => "MQTT 5.0",
        })
    }
}

/// The parts of a number: a section of three, and a count.
fn numbers(number: &str) -> Option<[u32; 4]> {
    let (section, count) = number.split_once('-')?;
    let mut parts = section.split('.').chain([count]).map(|part| part.parse().ok());
    let all = [parts.next()??, parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(table: &str) -> String {
        Standard::V5.read("t.txt", table).unwrap_err().to_string()
    }

    #[test]
    fn both_standards_are_there_with_all_their_statements() {
        let all = Standard::read_all().unwrap();
        let count = |standard| all.iter().filter(|one| one.standard == standard).count();
        assert_eq!((count(Standard::V311), count(Standard::V5)), (141, 251));
    }

    #[test]
    fn a_line_is_number_gist_and_concern() {
        let table =
            "# title\n\n1.2.3-4 | a gist | server\n1.2.3-10|b|client\n2.0.0-1 | c | n/a: why";
        let read = Standard::V311.read("t.txt", table).unwrap();
        let concerns: Vec<_> = read.iter().map(|one| &one.concern).collect();
        let why = Concern::Nothing("why".to_owned());
        assert_eq!(concerns, [&Concern::Server, &Concern::Client, &why]);
        assert_eq!((read[0].number.as_str(), read[0].gist.as_str()), ("1.2.3-4", "a gist"));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        assert!(wrong("\n1.2.3-4 | a").starts_with("t.txt:2: 2 columns"));
        assert!(wrong("1.2-4 | a | server").contains("no number"));
        assert!(wrong("1.2.3.4-5 | a | server").contains("no number"));
        assert!(wrong("1.2.3-4 |  | server").contains("no gist"));
        assert!(wrong("1.2.3-4 | a | n/a:").contains("with a reason"));
        assert!(wrong("1.2.3-4 | a | sever").contains("`sever`"));
        let twice = wrong("1.2.3-4 | a | server\n1.2.3-4 | a | server");
        assert!(twice.starts_with("t.txt:2: the number is not above"));
    }
}
