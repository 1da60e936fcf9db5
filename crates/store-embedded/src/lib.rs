//! The durable records on the disk of this machine.
//!
//! [`Embedded`] keeps the tables of [`store::Records`] in one folder, with fjall, a log-structured
//! merge tree: a commit is one append to fjall's journal, and one `fdatasync` if it has to be on
//! the disk.
//!
//! [`EmbeddedTrail`] keeps a [`store::Trail`] beside them, in files of its own.
//!
//! # Keys
//!
//! Records are ordered by the bytes of their keys, and neighbours are read together. So what belongs
//! together begins alike: a key of [`Table::Queues`](store::Table::Queues) is the session number (u64,
//! big-endian) and then the sequence number (u64, big-endian), which makes the messages of a session
//! neighbours, in their order.
//!
//! # The folder
//!
//! | name | what |
//! |---|---|
//! | `store.lock` | held locked while a process has the store open; its process ID |
//! | `commits` | how many commits are on the disk, and the version of the format |
//! | `data/` | fjall's files |
//! | `outcomes/` | the files of the trail |
//!
//! # What is checked when it opens
//!
//! Every batch of fjall's journal files is read before fjall does, which would cut off what follows
//! any damage; only the end of the newest file may be torn. Whether it is torn too early is seen by
//! counting: every commit raises a counter that is one of its own records, and after what was
//! committed got to the disk, the file `commits` gets that number too. If the counter that fjall recovers
//! is less than the file's, the store does not open. The file is written in place, in two places
//! in turn, so one write can never spoil both. It is synced itself only now and then: without a
//! power loss in between its number is exact.

mod cause;
mod commits_file;
mod contained;
mod database;
mod embedded;
mod folder;
mod journal_files;
mod trail;

pub use embedded::Embedded;
pub use trail::{EmbeddedTrail, TrailSettings};
