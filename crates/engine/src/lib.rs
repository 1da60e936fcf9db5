//! The rules of the broker, without I/O.
//!
//! Everything here takes bytes, values and the present [`Moment`] and returns values: no clock, no
//! randomness, no files, no async runtime. The crate `broker` drives it.
//!
//! * [`session`]: one connected client: packets in, packets out, in-flight window, deadlines.
//! * [`outcome`]: every way a direct message can end.
//! * [`access`]: who may do what; a passed check is a value, such as [`access::SendPermit`].
//! * [`directory`]: principals, access keys and things, as loaded from wherever they live.
//! * [`message`]: a message of publish-subscribe; [`queue`]: those that wait for one session;
//!   [`retained`]: the last one of each topic.
//! * [`topics`]: which sessions a published message matches.
//! * [`departures`]: how the last connections of clients ended.
//! * [`metering`]: what AWS would charge for.
//! * [`limits`] and [`profile`]: every bound with its source, and the two sets of MQTT rules.

pub mod access;
pub mod client_rates;
pub mod close;
pub mod departures;
pub mod direct;
pub mod directory;
pub mod inflight;
pub mod limits;
pub mod message;
pub mod metering;
pub mod moment;
pub mod outcome;
pub mod profile;
pub mod question;
pub mod queue;
pub mod rate;
pub mod retained;
pub mod session;
pub mod ticket;
pub mod topics;

pub use moment::{Moment, Wall};
pub use ticket::Ticket;
