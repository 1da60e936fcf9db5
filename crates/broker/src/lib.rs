//! Running sessions: who is connected, and how bytes get in and out.
//!
//! A [`Node`] holds everything; a `Device` is one client ID's place in it. Decisions are the
//! engine's; this crate moves bytes, keeps locks short and never holds one across an await.
//!
//! Lock order: a shard of the registry before a device's state before the subscriptions.

mod accept;
mod clock;
mod connection;
mod delivery;
mod device;
mod devices;
mod dirty;
mod drain;
mod driver;
mod events;
mod node;
mod route;
mod subscribe;
mod takeover;
mod timers;
mod transport;

pub use accept::{Entrance, serve};
pub use clock::Clock;
pub use delivery::{Confirmation, Dispatched};
pub use node::{Node, NodeSettings};
pub use takeover::FAREWELL;
pub use transport::Transport;
