//! Running sessions: who is connected, and how bytes get in and out.
//!
//! A [`Node`] holds everything; a `Device` is one client ID's place in it. Decisions are the
//! engine's; this crate moves bytes, keeps locks short and never holds one across an await.
//!
//! Lock order: a shard of the registry before a device's state before the subscriptions.

mod accept;
mod arrivals;
mod batch;
mod catch_up;
mod client_connection;
mod clock;
mod connection;
mod delete_connection;
mod delivery;
mod device;
mod devices;
mod dismissal;
mod drain;
mod driver;
mod dry_run;
mod events;
mod farewell;
mod gauges;
mod keeper;
mod leave;
mod lifecycle;
mod list_subscriptions;
mod mark;
mod named_clients;
mod node;
mod output;
mod publish;
mod rate_queue;
mod release;
mod responses;
mod restore;
mod retain;
mod roll_call;
mod route;
mod serving;
mod shadows;
mod subscribe;
mod subscriptions;
mod takeover;
mod target;
mod timers;
mod transport;
mod waiter;
mod will;

pub use accept::Entrance;
pub use arrivals::Awaited;
pub use client_connection::{ClientConnection, SocketInformation, Standing};
pub use clock::Clock;
pub use delete_connection::Deletion;
pub use delivery::{Dispatched, HandOver};
pub use dry_run::{DryRun, Receiver};
pub use farewell::FAREWELL;
pub use mark::Mark;
pub use named_clients::ClientRefused;
pub use node::{Node, NodeSettings, Storage};
pub use publish::{Durable, PublishRefused};
pub use rate_queue::Attempt;
pub use responses::{Awaiting, Expectation, Expected};
pub use serving::Serving;
pub use transport::Transport;
pub use waiter::{Confirmation, OnTheWire, Settle, Settled, Waiter};
