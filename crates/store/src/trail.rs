//! What is taken down as it happens and not changed any more.

/// Entries that are only appended, and forgotten from the oldest on: far cheaper than records, for
/// what is of use for a while only. What an entry means is its writer's business.
pub trait Trail: Send + Sync {
    /// Takes an entry down, soon: it returns at once, and the entry is written after all that were
    /// appended before it. What cannot be written any more is reported once, elsewhere.
    fn append(&self, entry: &[u8]);

    /// Returns when everything appended is written as safely as it ever will be. What is appended
    /// later is not written.
    fn close(&self);
}
