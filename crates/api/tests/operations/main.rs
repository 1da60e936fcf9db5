//! The operations on a whole node: what they answer, when, and what the log says of it.

mod connections;
mod control_plane;
mod device;
mod explanations;
mod fixture;
mod idempotency;
mod many_targets;
mod publish;
mod retained_messages;
mod shadows;
mod waiting;
