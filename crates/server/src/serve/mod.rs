//! A running server: listeners, node, registry, log, and how they start and stop together.

mod admin;
mod backoff;
mod date;
mod http;
mod http1;
mod http2;
mod listen;
mod mqtt;
mod notify;
mod occupancy;
mod open_files;
mod poster;
mod reload;
mod rewound;
mod running;
mod shards;
mod signals;
mod storage;
mod tls;
mod traces;
mod upgrade;
mod webhook;
mod websocket;
mod wire;

pub use notify::notify;
pub use running::{Running, start};
pub use signals::Signals;
