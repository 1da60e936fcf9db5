//! The server's log, read as it grows.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

/// The log is written by a thread of its own, a moment after the answer.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(5);

/// The JSON-lines log of a running server.
pub(super) struct Logbook {
    path: PathBuf,
}

/// One entry.
pub(super) struct Entry {
    /// As it stands in the log.
    pub(super) line: String,
    members: Value,
}

impl Logbook {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The first entry whose members have these values, as soon as it is written.
    pub(super) async fn find(&self, wanted: &[(&str, &str)]) -> Result<Entry, String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = tokio::fs::read_to_string(&self.path).await.unwrap_or_default();
            if let Some(entry) = text.lines().filter_map(Entry::parse).find(|e| e.has(wanted)) {
                return Ok(entry);
            }
            if Instant::now() > deadline {
                let path = self.path.display();
                return Err(format!("the log {path} has no entry with {wanted:?}"));
            }
            sleep(PAUSE).await;
        }
    }
}

impl Entry {
    /// `None` for a line that is still being written.
    fn parse(line: &str) -> Option<Self> {
        Some(Self { line: line.to_owned(), members: serde_json::from_str(line).ok()? })
    }

    fn has(&self, wanted: &[(&str, &str)]) -> bool {
        wanted.iter().all(|(name, value)| self.members.get(*name).is_some_and(|v| v == value))
    }

    /// A member that is a number of milliseconds.
    pub(super) fn millis(&self, name: &str) -> Option<f64> {
        self.members.get(name)?.as_f64()
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name)?.as_str()
    }

    /// The entry broken into lines of at most `width` characters: between members, and within
    /// one that is longer between words.
    pub(super) fn wrapped(&self, width: usize) -> Vec<String> {
        let mut lines = Vec::new();
        let mut line = String::new();
        for member in members(&self.line) {
            let pieces: Vec<&str> = match member.chars().count() > width {
                true => member.split_inclusive(' ').collect(),
                false => vec![member],
            };
            for piece in pieces {
                if !line.is_empty() && line.chars().count() + piece.chars().count() > width {
                    lines.push(std::mem::take(&mut line));
                }
                line.push_str(piece);
            }
        }
        lines.push(line);
        lines
    }
}

/// The members of an object in one line, each with the comma behind it.
fn members(line: &str) -> impl Iterator<Item = &str> {
    let ends = line.match_indices(",\"").map(|(comma, _)| comma + 1).chain([line.len()]);
    let mut start = 0;
    ends.map(move |end| &line[std::mem::replace(&mut start, end)..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"timestamp":"t","traceId":"7b3e","status":"Success","ackMs":0.5,"n":1}"#;

    #[test]
    fn a_wrapped_entry_loses_nothing_and_fits() {
        let entry = Entry::parse(LINE).unwrap();
        for width in [20, 30, 40, 200] {
            let lines = entry.wrapped(width);
            assert_eq!(lines.concat(), LINE);
            assert!(lines.iter().all(|line| line.len() <= width), "{lines:?}");
            assert!(lines.iter().skip(1).all(|line| line.starts_with('"')), "{lines:?}");
        }
    }

    #[test]
    fn a_member_longer_than_a_line_is_broken_between_words() {
        let entry = Entry::parse(r#"{"a":1,"details":"one two three four"}"#).unwrap();
        assert_eq!(entry.wrapped(20), [r#"{"a":1,"#, r#""details":"one two "#, r#"three four"}"#]);
    }

    #[tokio::test]
    async fn an_entry_is_found_once_it_is_whole() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let logbook = Logbook::new(file.path().to_owned());
        std::fs::write(file.path(), &LINE[..30]).unwrap();
        let write = async {
            sleep(Duration::from_millis(30)).await;
            std::fs::write(file.path(), LINE).unwrap();
        };
        let wanted = [("traceId", "7b3e"), ("status", "Success")];
        let (entry, ()) = tokio::join!(logbook.find(&wanted), write);
        let entry = entry.unwrap();
        assert_eq!(entry.millis("ackMs"), Some(0.5));
        assert_eq!(entry.text("status"), Some("Success"));
        assert_eq!((entry.millis("status"), entry.text("nothing")), (None, None));
    }
}
