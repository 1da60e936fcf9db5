//! What a journal tells about its work.

/// For logs and metrics; told on the journal's thread with no lock held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JournalEvent {
    /// A group was committed.
    Committed {
        /// Changes of the group that were applied.
        changes: usize,
        /// Bytes of their keys and values.
        bytes: usize,
        /// How long the commit took, in microseconds.
        micros: u64,
    },
    /// What had been given to the operating system is on the disk.
    Synced {
        /// How long that took, in microseconds.
        micros: u64,
    },
    /// A commit failed. It is the last event: nothing becomes durable any more.
    Failed {
        /// What is wrong and what to do.
        sentence: String,
    },
}
