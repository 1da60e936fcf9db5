//! How each row is measured.

pub(super) mod confirmed;
pub(super) mod connects;
pub(super) mod cores;
pub(super) mod growth;
pub(super) mod https;
pub(super) mod latency;
pub(super) mod memory;
pub(super) mod messages;
pub(super) mod offline;
pub(super) mod policies;
pub(super) mod pubsub;
pub(super) mod queue;
pub(super) mod receipts;
