//! The reactor as other threads reach it.

use std::net::TcpStream;
use std::sync::Arc;
use std::task::{Wake, Waker};

use parking_lot::Mutex;

use crate::{Stream, Task};

/// Makes a task of a connection, on the thread of its reactor.
type Make = Box<dyn FnOnce(Stream) -> Box<dyn Task> + Send>;

/// Gives connections to a reactor and turns to its tasks, from any thread.
#[derive(Clone)]
pub struct Handle(pub(crate) Arc<Mailbox>);

/// What others want of a reactor.
#[derive(Default)]
pub(crate) struct Mailbox {
    letters: Mutex<Letters>,
}

/// What waits for the reactor.
#[derive(Default)]
pub(crate) struct Letters {
    pub(crate) arrivals: Vec<(TcpStream, Make)>,
    /// Tasks that were woken.
    pub(crate) woken: Vec<u32>,
    /// Wakes the reactor's own task of the runtime; gone once the reactor is.
    reactor: Option<Waker>,
    /// Whether that was done since the reactor last looked.
    rung: bool,
}

impl Handle {
    /// Hands a connection over, in non-blocking mode.
    pub fn adopt(
        &self,
        socket: TcpStream,
        make: impl FnOnce(Stream) -> Box<dyn Task> + Send + 'static,
    ) {
        self.0.post(|letters| letters.arrivals.push((socket, Box::new(make))));
    }
}

impl Mailbox {
    fn post(&self, write: impl FnOnce(&mut Letters)) {
        let mut letters = self.letters.lock();
        write(&mut letters);
        // One ring is enough until the reactor looks: a ring from another thread is a system call.
        let ring = if letters.rung { None } else { letters.reactor.clone() };
        letters.rung = true;
        drop(letters);
        if let Some(reactor) = ring {
            reactor.wake();
        }
    }

    /// Takes what waits into `taken` (emptied before), and leaves the waker to ring with. Says
    /// whether there was anything.
    pub(crate) fn collect(&self, reactor: &Waker, taken: &mut Letters) -> bool {
        let mut letters = self.letters.lock();
        letters.rung = false;
        match &mut letters.reactor {
            Some(present) => present.clone_from(reactor),
            none => *none = Some(reactor.clone()),
        }
        std::mem::swap(&mut letters.arrivals, &mut taken.arrivals);
        std::mem::swap(&mut letters.woken, &mut taken.woken);
        !taken.arrivals.is_empty() || !taken.woken.is_empty()
    }
}

/// The waker of one task.
pub(crate) struct Bell {
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) key: u32,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.mailbox.post(|letters| letters.woken.push(self.key));
    }
}
