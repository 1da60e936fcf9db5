//! Which connections can go on, and the turn that each of them gets.
//!
//! A [`Reactor`] belongs to one thread. It has an epoll instance of its own, which the thread's
//! tokio runtime waits for like for any other descriptor, so tasks of the runtime and connections
//! of the reactor share the thread. A connection is a [`Task`]: plain data that is given a turn when
//! its socket became ready or somebody woke it. Compared with a task of the runtime it has no
//! scheduling state and no readiness state of its own, which is most of what an idle connection
//! costs; see `docs/decisions/0004-connections-in-a-reactor.md`.
//!
//! What this crate does not do: it knows no protocol, no timers (the runtime has them), and never
//! moves a connection to another thread.

mod handle;
mod listener;
mod outstanding;
mod reactor;
mod stream;
mod task;

pub use handle::Handle;
pub use listener::Listener;
pub use reactor::Reactor;
pub use stream::Stream;
pub use task::{Next, Ready, Task, Turn};
