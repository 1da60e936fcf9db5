//! The threads of the server: one a core, each with a runtime and a reactor of its own.

use std::future::Future;
use std::io;
use std::net::TcpStream;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use reactor::{Handle, Reactor, Stream, Task};
use tokio::runtime::{self, Runtime};
use tokio::sync::watch;

/// The threads. Connections are dealt out in turn and stay where they are. Dropping it ends the
/// threads, but for the first, which is the present runtime's.
pub struct Shards {
    shards: Vec<Shard>,
    next: AtomicUsize,
    /// Closes when the threads are to end.
    _running: watch::Sender<()>,
}

/// One thread.
pub(super) struct Shard {
    runtime: runtime::Handle,
    reactor: Handle,
}

impl Shards {
    /// That many, or as many as there are cores to run on; the present runtime is the first.
    ///
    /// # Errors
    /// The system's, when it has no thread or epoll instance to give.
    pub(super) fn start(threads: Option<NonZeroUsize>) -> io::Result<Self> {
        let threads = threads.or_else(|| thread::available_parallelism().ok());
        let (running, ended) = watch::channel(());
        let mut shards = vec![Shard::here()?];
        for number in 1..threads.map_or(1, usize::from) {
            shards.push(Shard::spawn(number, ended.clone())?);
        }
        Ok(Shards { shards, next: AtomicUsize::new(0), _running: running })
    }

    /// The one that gets the next connection.
    pub(super) fn next(&self) -> &Shard {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        &self.shards[turn % self.shards.len()]
    }
}

impl Shard {
    fn here() -> io::Result<Self> {
        let reactor = Reactor::new()?;
        let shard = Shard { runtime: runtime::Handle::current(), reactor: reactor.handle() };
        tokio::spawn(reactor.run());
        Ok(shard)
    }

    fn spawn(number: usize, ended: watch::Receiver<()>) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let reactor = {
            let _context = runtime.enter();
            Reactor::new()?
        };
        let shard = Shard { runtime: runtime.handle().clone(), reactor: reactor.handle() };
        thread::Builder::new()
            .name(format!("shard-{number}"))
            .spawn(move || run(&runtime, reactor, ended))?;
        Ok(shard)
    }

    /// Gives a connection to the reactor.
    pub(super) fn adopt(
        &self,
        socket: TcpStream,
        make: impl FnOnce(Stream) -> Box<dyn Task> + Send + 'static,
    ) {
        self.reactor.adopt(socket, make);
    }

    /// Gives a task to the runtime.
    pub(super) fn spawn_task(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(task);
    }
}

fn run(runtime: &Runtime, reactor: Reactor, mut ended: watch::Receiver<()>) {
    runtime.block_on(async {
        tokio::spawn(reactor.run());
        // An error: the sender is gone, which is the end.
        while ended.changed().await.is_ok() {}
    });
}
