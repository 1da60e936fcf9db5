//! The trait.

use crate::{Changes, StoreError, Table};

/// How far a commit has to get before it returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// The operating system has it: it survives the end of the process, not of the machine.
    System,
    /// It is on the disk: it survives the end of the machine.
    Disk,
}

/// Records that outlive the process, in tables ordered by key. [`conformance`](crate::conformance)
/// is the contract in full.
pub trait Records: Send + std::marker::Sync {
    /// Calls `visit` with key and value of every record of the table, in the order of the keys'
    /// bytes, one at a time: a table need not fit into memory. What is committed meanwhile may be
    /// seen, in part too, or not; what was committed before is.
    ///
    /// # Errors
    /// What was read is damaged, or could not be read; records may have been visited before.
    fn scan(&self, table: Table, visit: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), StoreError>;

    /// The value of a key.
    ///
    /// # Errors
    /// The record is damaged or could not be read.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Applies the changes as a whole or not at all. Commits are durable in the order in which they
    /// return: if one survives a crash, so did all that returned before it began.
    ///
    /// # Errors
    /// The changes may be there after a restart or not, but never in part. From then on the store
    /// takes no commits; it has to be opened again.
    fn commit(&self, changes: &Changes, sync: Sync) -> Result<(), StoreError>;

    /// Brings every commit that has returned to the disk.
    ///
    /// # Errors
    /// As for [`Records::commit`].
    fn sync(&self) -> Result<(), StoreError>;

    /// Brings every commit to the disk and lets go of the place, so that it can be opened again.
    /// Everything asked afterwards is answered with [`Trouble::Closed`](crate::Trouble::Closed).
    /// Closing twice is closing once.
    ///
    /// # Errors
    /// As for [`Records::commit`]; the place is let go of all the same.
    fn close(&self) -> Result<(), StoreError>;
}
