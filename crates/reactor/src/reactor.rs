//! The loop of one thread.

use std::cell::RefCell;
use std::io;
use std::mem;
use std::net::TcpStream;
use std::os::fd::{AsFd, OwnedFd};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use slab::Slab;
use tokio::io::unix::AsyncFd;

use crate::handle::{Bell, Handle, Letters, Mailbox};
use crate::{Next, Ready, Stream, Task, Turn};

/// How many sockets are dealt with before tasks of the runtime get their turn.
const EVENTS: usize = 256;

/// How often the kernel is asked before they do. Under load more has come while one batch was dealt
/// with, and to ask for it costs less than to wait until the runtime says so.
const BATCHES: usize = 4;

const NOT_AT_ALL: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

/// Edges of both directions: a task reads and writes until the socket has no more.
const INTEREST: EventFlags = EventFlags::IN
    .union(EventFlags::OUT)
    .union(EventFlags::PRI)
    .union(EventFlags::RDHUP)
    .union(EventFlags::ET);

/// A read that does not fill its buffer has not emptied the socket: the peer has closed its half, the
/// connection is broken, or there is urgent data, at which a read stops.
const OVER: EventFlags =
    EventFlags::RDHUP.union(EventFlags::HUP).union(EventFlags::ERR).union(EventFlags::PRI);

thread_local! {
    /// What the kernel told this thread last. Not the reactor's, which may change its thread.
    static READY: RefCell<Vec<Event>> = RefCell::new(Vec::with_capacity(EVENTS));
}

/// The connections of one thread. Dropping it drops them.
pub struct Reactor {
    epoll: AsyncFd<OwnedFd>,
    mailbox: Arc<Mailbox>,
    tasks: Slab<Seat>,
}

/// A task and its waker.
struct Seat {
    task: Box<dyn Task>,
    waker: Waker,
}

impl Reactor {
    /// A reactor without connections, on the present runtime.
    ///
    /// # Errors
    /// The system's, when it has no epoll instance to give.
    pub fn new() -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        #[expect(deprecated, reason = "its successor is unsafe; an owned descriptor does no harm")]
        let epoll = AsyncFd::with_interest(epoll, tokio::io::Interest::READABLE)?;
        Ok(Reactor { epoll, mailbox: Arc::default(), tasks: Slab::new() })
    }

    /// How others reach it.
    pub fn handle(&self) -> Handle {
        Handle(Arc::clone(&self.mailbox))
    }

    /// Gives turns until the runtime ends.
    pub async fn run(mut self) {
        let mut letters = Letters::default();
        std::future::poll_fn(|cx| {
            READY.with_borrow_mut(|events| self.poll(cx, events, &mut letters));
            Poll::<()>::Pending
        })
        .await;
    }

    /// Deals with what waits, once; what comes meanwhile wakes the runtime's task again.
    fn poll(&mut self, cx: &mut Context<'_>, events: &mut Vec<Event>, letters: &mut Letters) {
        if self.mailbox.collect(cx.waker(), letters) {
            for (socket, make) in letters.arrivals.drain(..) {
                self.adopt(socket, make);
            }
            let mut woken = mem::take(&mut letters.woken);
            for key in woken.drain(..) {
                self.turn(key as usize, Ready::NOTHING);
            }
            letters.woken = woken;
        }
        for _ in 0..BATCHES {
            let Poll::Ready(Ok(mut guard)) = self.epoll.poll_read_ready(cx) else { return };
            events.clear();
            match epoll::wait(guard.get_inner(), spare_capacity(events), Some(&NOT_AT_ALL)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                // An epoll instance fails only when it is used wrongly.
                Err(error) => unreachable!("the reactor's epoll instance: {error}"),
            }
            if events.is_empty() {
                guard.clear_ready();
            }
            for event in events.iter() {
                let flags = event.flags;
                let ready = Ready {
                    readable: flags.contains(EventFlags::IN),
                    closed: flags.intersects(OVER),
                };
                self.turn(event.data.u64() as usize, ready);
            }
        }
        // The tasks of the runtime come first.
        cx.waker().wake_by_ref();
    }

    fn adopt(&mut self, socket: TcpStream, make: impl FnOnce(Stream) -> Box<dyn Task>) {
        let seat = self.tasks.vacant_entry();
        let key = seat.key();
        let Ok(number) = u32::try_from(key) else { return };
        let data = EventData::new_u64(key as u64);
        // Memory for it may have run out: the connection is closed.
        if epoll::add(self.epoll.get_ref(), &socket, data, INTEREST).is_err() {
            return;
        }
        let bell = Bell { mailbox: Arc::clone(&self.mailbox), key: number };
        seat.insert(Seat { task: make(Stream::new(socket)), waker: Arc::new(bell).into() });
        self.turn(key, Ready::READABLE);
    }

    /// Gives a task a turn. An event may be about a task that has just ended, and its place have
    /// another one already, for which the turn is one without a reason.
    fn turn(&mut self, key: usize, ready: Ready) {
        let Reactor { epoll, tasks, .. } = self;
        let epoll = epoll.get_ref().as_fd();
        while let Some(Seat { task, waker }) = tasks.get_mut(key) {
            let context = &mut Context::from_waker(waker);
            let turn = &mut Turn { context, ready, epoll };
            // A panic is a fault of ours that must end no connection but the one it is about; the
            // panic hook has told of it. Nothing of the task is used again.
            let next = panic::catch_unwind(AssertUnwindSafe(|| task.run(turn)));
            match next.unwrap_or(Next::End) {
                Next::Wait => return,
                // It hears what this turn brought: the event does not come again.
                Next::Become(other) => *task = other,
                Next::End => {
                    tasks.remove(key);
                }
            }
        }
    }
}
