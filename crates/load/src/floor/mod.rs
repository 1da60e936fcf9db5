//! `tenfour-floor`: the least that a confirmed direct message can cost on this machine.
//!
//! One thread, one epoll instance, and for each message the socket work that nobody can leave out:
//! read a request, write a PUBLISH to its device, read the PUBACK, write an answer. There are no
//! policies, no signatures, no log, no timers and no sessions; the answer and the PUBLISH are
//! templates. What a server costs above this is the server's own.

mod answer;
mod cli;
mod connections;
mod device;
mod options;
mod publish;
mod ready;
mod relay;
mod request;
mod tls;
mod wire;

pub use cli::main;
