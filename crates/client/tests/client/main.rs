//! The public interface over real sockets: TCP, TLS and HTTP as they fail in the world.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod authority;
mod certificates;
mod device;
mod http_server;
mod sender;
