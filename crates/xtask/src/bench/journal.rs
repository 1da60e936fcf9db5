//! Which commands were run, so that everybody can repeat them.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

/// Commands since the last [`take`](Self::take), each kind once.
pub(super) struct Journal {
    /// What is left out of paths.
    root: PathBuf,
    commands: RefCell<Vec<String>>,
}

impl Journal {
    /// An empty one for the repository at `root`.
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root, commands: RefCell::new(Vec::new()) }
    }

    /// Notes a command, unless the same one with other ports and processes is there.
    pub(super) fn note(&self, command: &Command) {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let line = self.line(words);
        let mut commands = self.commands.borrow_mut();
        if !commands.contains(&line) {
            commands.push(line);
        }
    }

    /// What was noted; nothing is left.
    pub(super) fn take(&self) -> Vec<String> {
        self.commands.take()
    }

    fn line<'a>(&self, words: impl Iterator<Item = &'a OsStr>) -> String {
        let root = format!("{}/", self.root.display());
        let mut line: Vec<String> = Vec::new();
        for word in words {
            let word = word.to_string_lossy().replace(&root, "");
            let before = line.last().map(String::as_str);
            line.push(match (before, word.rsplit_once(':')) {
                (Some("--pid"), _) => "PID".to_owned(),
                (Some("--device-address"), Some((host, _))) => format!("{host}:PORT"),
                (_, _) => word,
            });
        }
        line.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_noted_once_without_what_differs_from_run_to_run() {
        let journal = Journal::new(PathBuf::from("/home/somebody/tenfour"));
        for (port, pid) in [("h:1", "4"), ("h:2", "5")] {
            let mut command = Command::new("/home/somebody/tenfour/target/release/tenfour-load");
            command.args(["pubsub", "--device-address", port, "--pid", pid, "--qos", "1"]);
            journal.note(&command);
        }
        let line = "target/release/tenfour-load pubsub --device-address h:PORT --pid PID --qos 1";
        assert_eq!(journal.take(), [line]);
        assert!(journal.take().is_empty());
    }
}
