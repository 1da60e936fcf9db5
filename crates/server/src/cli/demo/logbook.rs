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

    /// The entry broken into lines of at most `width` characters, between members.
    pub(super) fn wrapped(&self, width: usize) -> Vec<String> {
        let mut lines = vec![String::new()];
        for member in self.line.split_inclusive(",\"") {
            // The quote belongs to the next member.
            let (member, quote) = match member.strip_suffix(",\"") {
                Some(member) => (format!("{member},"), "\""),
                None => (member.to_owned(), ""),
            };
            let line = lines.last_mut().expect("there is always a line");
            // The quote of the member before stands at the end of the line already.
            if line.chars().count() + member.chars().count() > width && line.len() > 1 {
                let carried = line.strip_suffix('"').filter(|rest| rest.ends_with(','));
                if let Some(rest) = carried.map(str::to_owned) {
                    *line = rest;
                    lines.push(format!("\"{member}{quote}"));
                    continue;
                }
            }
            line.push_str(&member);
            line.push_str(quote);
        }
        lines
    }
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
            assert!(lines.iter().all(|line| line.len() <= width + 1), "{lines:?}");
            assert!(lines.iter().skip(1).all(|line| line.starts_with('"')), "{lines:?}");
        }
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
