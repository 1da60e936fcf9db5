//! What the command line asks for.

use crate::failure::{Failure, Outcome};

use super::effort::Effort;
use super::row::Row;

/// The rows, and how much time they get.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// What to measure, in the order of the table.
    pub(super) rows: Vec<Row>,
    quick: bool,
}

impl Request {
    /// Reads `--only ROW[,ROW]` and `--quick`.
    pub(crate) fn parse(arguments: &[String]) -> Outcome<Self> {
        let mut request = Self { rows: Row::ALL.to_vec(), quick: false };
        let mut rest = arguments.iter();
        while let Some(option) = rest.next() {
            match (option.as_str(), option.strip_prefix("--only=")) {
                ("--quick", _) => request.quick = true,
                ("--only", _) => {
                    let names = rest
                        .next()
                        .ok_or_else(|| Failure::new(format!("`--only` needs rows: {}", slugs())))?;
                    request.rows = rows(names)?;
                }
                (_, Some(names)) => request.rows = rows(names)?,
                (unknown, None) => {
                    return Err(Failure::new(format!(
                        "`bench` takes --only ROW[,ROW] and --quick, found `{unknown}`"
                    )));
                }
            }
        }
        Ok(request)
    }

    /// How much time each row gets.
    pub(super) fn effort(&self) -> Effort {
        if self.quick { Effort::QUICK } else { Effort::FULL }
    }

    /// Whether the figures are worth publishing: all of them, with full effort.
    pub(super) fn is_whole(&self) -> bool {
        !self.quick && self.rows == Row::ALL
    }
}

/// Rows by name; several may share the beginning of their names.
fn rows(names: &str) -> Outcome<Vec<Row>> {
    let wanted: Vec<&str> = names.split(',').map(str::trim).collect();
    for name in &wanted {
        if !Row::ALL.iter().any(|row| matches(*row, name)) {
            return Err(Failure::new(format!("no row is called `{name}`; there are {}", slugs())));
        }
    }
    let is_wanted = |row: &Row| wanted.iter().any(|name| matches(*row, name));
    Ok(Row::ALL.into_iter().filter(is_wanted).collect())
}

fn matches(row: Row, name: &str) -> bool {
    let rest = row.slug().strip_prefix(name);
    !name.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

fn slugs() -> String {
    Row::ALL.map(Row::slug).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Outcome<Request> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Request::parse(&words)
    }

    #[test]
    fn without_options_everything_is_measured_and_published() {
        let request = parse("").unwrap();
        assert!(request.is_whole());
        assert_eq!(request.effort(), Effort::FULL);
        assert!(!parse("--quick").unwrap().is_whole());
        assert!(!parse("--only https").unwrap().is_whole());
    }

    #[test]
    fn rows_are_chosen_by_name_or_by_its_beginning_and_keep_their_order() {
        let request = parse("--quick --only offline,http2").unwrap();
        assert_eq!(request.rows, [Row::Http2, Row::Offline]);
        assert_eq!(request.effort(), Effort::QUICK);
        let memory = parse("--only=memory").unwrap().rows;
        assert_eq!(memory, [Row::MemoryPlain, Row::MemoryTls]);
        assert_eq!(parse("--only memory-tls").unwrap().rows, [Row::MemoryTls]);
    }

    #[test]
    fn mistakes_are_answered_with_what_there_is() {
        for (line, word) in
            [("--only", "http2"), ("--only htt", "http2"), ("--only ,", "http2"), ("-x", "--quick")]
        {
            let message = parse(line).unwrap_err().to_string();
            assert!(message.contains(word), "{line}: {message}");
        }
    }
}
