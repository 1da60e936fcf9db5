//! What fjall's errors mean to whoever runs the server.

use std::path::Path;

use store::{StoreError, Trouble};

/// What fjall answered while something (`doing`, as in "opening") was done to the store.
pub(crate) fn error(doing: &str, folder: &Path, error: fjall::Error) -> StoreError {
    use fjall::Error;
    match error {
        Error::Io(error) | Error::Storage(fjall::LsmError::Io(error)) => {
            StoreError::io(doing, folder, &error)
        }
        Error::InvalidVersion(_) => version(folder, "another version of fjall"),
        Error::Locked => locked(folder, None),
        Error::Poisoned => {
            let sentence = format!(
                "{doing} {} failed because an earlier write did; look for its cause (a full or \
                 faulty disk) and start again",
                folder.display()
            );
            StoreError::new(Trouble::Io, sentence)
        }
        // The last is for variants to come: whatever they are, what is there cannot be read.
        other @ (Error::Storage(_)
        | Error::JournalRecovery(_)
        | Error::Decompress(_)
        | Error::InvalidTrailer
        | Error::InvalidTag(_)
        | Error::KeyspaceDeleted
        | Error::Unrecoverable
        | _) => damaged(folder, &other.to_string()),
    }
}

/// What is on the disk cannot have been written like that.
pub(crate) fn damaged(folder: &Path, what: &str) -> StoreError {
    let sentence = format!(
        "the store in {} is damaged ({what}); restore the folder from a backup, or move it away to \
         start with no sessions",
        folder.display()
    );
    StoreError::new(Trouble::Damaged, sentence)
}

/// A file of outcomes cannot have been written like that.
pub(crate) fn damaged_outcomes(folder: &Path, file: &Path) -> StoreError {
    let sentence = format!(
        "{} is damaged; remove it to start without the outcomes of messages that are in it, which \
         only repeated requests need (the folder is {})",
        file.display(),
        folder.display()
    );
    StoreError::new(Trouble::Damaged, sentence)
}

/// Commits that were on the disk are not any more.
pub(crate) fn missing(folder: &Path, expected: u64, found: u64, file: &Path) -> StoreError {
    let sentence = format!(
        "the store in {} has lost committed data (it is at commit {found} and was at {expected}); \
         restore the folder from a backup, or remove {} to accept the loss",
        folder.display(),
        file.display()
    );
    StoreError::new(Trouble::Missing, sentence)
}

/// Somebody else wrote it.
pub(crate) fn version(folder: &Path, whose: &str) -> StoreError {
    let sentence = format!(
        "the store in {} was written by {whose}, whose format this version does not know; run the \
         version that wrote it or choose another folder",
        folder.display()
    );
    StoreError::new(Trouble::Version, sentence)
}

/// Somebody else has it open.
pub(crate) fn locked(folder: &Path, process: Option<u32>) -> StoreError {
    let whom = process.map_or_else(String::new, |process| format!(" (process {process})"));
    let sentence = format!(
        "the store in {} is in use by another process{whom}; end that process or choose another \
         folder",
        folder.display()
    );
    StoreError::new(Trouble::Locked, sentence)
}
