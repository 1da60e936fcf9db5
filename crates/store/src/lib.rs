//! What is durable.
//!
//! The broker holds all session state in memory; a store is what it recovers from after a restart.
//! [`Records`] is what a store can do: tables of records, changed by atomic commits and read as a
//! whole at the start. [`Memory`] is a store for tests, and [`conformance`] what every store has to
//! do. [`Journal`] stands between the broker and a store: it takes changes from all threads, commits
//! them in groups on a thread of its own, and says when they are durable. A [`Trail`] is for what is
//! taken down once and of use for a while only.
//!
//! What this crate does not do: it does not know what the keys and values mean to MQTT, and no file
//! format.

mod changes;
pub mod conformance;
mod durability;
mod error;
mod fault;
mod journal;
mod memory;
pub mod record;
mod records;
mod table;
mod trail;

pub use changes::{Change, Changes, MAX_KEY_BYTES};
pub use durability::Durability;
pub use error::{StoreError, Trouble};
pub use journal::{Journal, JournalEvent, SYNC_EVERY, StoreFailed, Together};
pub use memory::Memory;
pub use records::{Records, Sync};
pub use table::Table;
pub use trail::Trail;
