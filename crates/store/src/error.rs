//! What can be wrong with a store.

use std::io;
use std::path::Path;

/// The kinds of trouble, for whoever decides by them; the sentence is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The disk, a quota or a limit on file sizes is exhausted.
    NoSpace,
    /// The place cannot be written to: permissions or a read-only file system.
    ReadOnly,
    /// The disk or the file system failed in another way.
    Io,
    /// What is on the disk is not what was written.
    Damaged,
    /// Data whose commit succeeded is not there any more.
    Missing,
    /// Another process has the store open.
    Locked,
    /// The place is no folder, or one that holds something else.
    Foreign,
    /// The store was written by a version whose format this one does not know.
    Version,
    /// The store was closed.
    Closed,
}

/// Why a store cannot do what it was asked to: one sentence that says where, what is wrong and
/// what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct StoreError {
    trouble: Trouble,
    sentence: String,
}

impl StoreError {
    /// An error of that kind. The sentence has no full stop at its end.
    pub fn new(trouble: Trouble, sentence: impl Into<String>) -> Self {
        Self { trouble, sentence: sentence.into() }
    }

    /// What the operating system answered while something (`doing`, as in "writing") was done to a
    /// file or folder.
    #[must_use]
    pub fn io(doing: &str, path: &Path, error: &io::Error) -> Self {
        let (trouble, remedy) = remedy(error.kind());
        Self::new(trouble, format!("{doing} {} failed: {error}; {remedy}", path.display()))
    }

    /// The kind.
    #[must_use]
    pub fn trouble(&self) -> Trouble {
        self.trouble
    }
}

/// The kind of an answer of the operating system, and what to do about it.
fn remedy(kind: io::ErrorKind) -> (Trouble, &'static str) {
    use io::ErrorKind;
    if matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
        return (Trouble::NoSpace, "free space on that disk, then start again");
    }
    if kind == ErrorKind::FileTooLarge {
        return (Trouble::NoSpace, "raise the limit on file sizes (ulimit -f), then start again");
    }
    if kind == ErrorKind::ReadOnlyFilesystem {
        return (Trouble::ReadOnly, "mount that file system for writing or choose another folder");
    }
    if kind == ErrorKind::PermissionDenied {
        let remedy = "let the user that runs this process read and write there or choose another \
                      folder";
        return (Trouble::ReadOnly, remedy);
    }
    if kind == ErrorKind::NotADirectory {
        return (Trouble::Foreign, "name a folder");
    }
    (Trouble::Io, "look for faults of that disk in the kernel's log, then start again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_the_operating_system_names_place_cause_and_remedy() {
        let path = Path::new("/var/lib/tenfour");
        for (kind, trouble, remedy) in [
            (io::ErrorKind::StorageFull, Trouble::NoSpace, "free space"),
            (io::ErrorKind::FileTooLarge, Trouble::NoSpace, "ulimit -f"),
            (io::ErrorKind::ReadOnlyFilesystem, Trouble::ReadOnly, "mount"),
            (io::ErrorKind::PermissionDenied, Trouble::ReadOnly, "read and write"),
            (io::ErrorKind::NotADirectory, Trouble::Foreign, "name a folder"),
            (io::ErrorKind::TimedOut, Trouble::Io, "kernel's log"),
        ] {
            let error = StoreError::io("writing", path, &io::Error::from(kind));
            assert_eq!(error.trouble(), trouble);
            let sentence = error.to_string();
            assert!(sentence.starts_with("writing /var/lib/tenfour failed: "), "{sentence}");
            assert!(sentence.contains(remedy), "{sentence}");
        }
    }
}
