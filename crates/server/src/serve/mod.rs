//! A running server: listeners, node, registry, log, and how they start and stop together.

mod admin;
mod http;
mod listen;
mod mqtt;
mod notify;
mod open_files;
mod reload;
mod running;
mod signals;
mod tls;
mod upgrade;
mod websocket;

pub use notify::notify;
pub use running::{Running, start};
pub use signals::Signals;
