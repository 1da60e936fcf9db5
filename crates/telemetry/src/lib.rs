//! Log entries and metrics: each event declared once.
//!
//! An event is a struct in [`event`] with borrowed members. [`Telemetry::record`] makes of it both
//! its counts in [`Metrics`] and its entry in the log (spec 8.2), so neither can be forgotten and
//! the two cannot disagree. What has no log entry (bytes, HTTP requests) is counted on [`Metrics`]
//! directly.
//!
//! The log is off the critical path: an entry is put together on the caller's thread, appended to a
//! bounded buffer and written by a thread of its own. When the buffer is full, whole entries are
//! dropped and counted (`tenfour_log_entries_dropped_total`): a full disk must not stop messages.
//! The same thread keeps the entries of late in a [`LogRing`], from which they can be read back.

mod buffer;
mod digits;
mod draft;
mod entry;
mod escape;
pub mod event;
mod level;
mod line;
mod member;
mod metered;
mod metrics;
mod quota;
mod ring;
mod sink;
mod telemetry;
mod thresholds;
mod timestamp;
pub mod trace;
mod trace_id;
mod verdict;

pub use event::Event;
pub use level::{Level, Status};
pub use metered::Metered;
pub use metrics::{Gauge, Metrics};
pub use quota::Quota;
pub use ring::{
    Direction, KeptEntry, LogDay, LogRing, Position, RingPlace, RingSettings, Walk, Walked,
};
pub use sink::{LogError, LogTarget};
pub use telemetry::{LogSettings, Telemetry};
pub use thresholds::Thresholds;
pub use trace_id::TraceId;
pub use verdict::{FailureClass, Verdict};
