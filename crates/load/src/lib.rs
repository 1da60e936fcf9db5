//! `tenfour-load`: load for direct messages and for the broker, and what it costs the server.
//!
//! Thousands of devices and many senders live in one process (or on a few threads, each with a
//! runtime of its own). A sender has one request in flight on a keep-alive connection, so the loops
//! are written for little CPU of their own: HTTP/1.1 by hand, one buffer a connection, no
//! allocation for an expected answer (but for what a signature needs).
//!
//! Beside it, `tenfour-floor`: the least that a confirmed message can cost, to compare with.
//!
//! Linux only: figures of the server come from `/proc`, intended send times from a timer
//! descriptor, which is more exact than the runtime's milliseconds.
#![forbid(unsafe_code)]

mod arrivals;
mod backlog;
mod channel;
mod cli;
mod connects;
mod descriptors;
mod device;
mod dial;
mod exchange;
mod failure;
mod fleet;
mod floor;
mod http2;
mod idle;
mod latency;
mod link;
mod options;
mod outbound;
mod pacer;
mod plan;
mod poller;
mod process;
mod pubsub;
mod queue;
mod ready_file;
mod report;
mod request;
mod response;
mod run;
mod schedule;
mod sender;
mod session;
mod subscription;
mod tally;
mod target;
mod template;
mod tls;
mod transport;
mod window;
mod worker;

pub use cli::main;
pub use floor::main as floor;
