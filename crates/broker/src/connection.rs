//! One socket of one client, under one epoch.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use engine::Moment;
use engine::access::Peer;
use engine::rate::Pace;
use engine::session::Session;
use telemetry::TraceId;
use tokio::io::AsyncWrite;

use crate::Transport;
use crate::waiter::Waiter;
use crate::will::Will;

/// A client's connection. Whoever holds the device's lock may append to the output and write.
pub(crate) struct Connection {
    pub(crate) io: Box<dyn Transport>,
    pub(crate) session: Session<Waiter>,
    pub(crate) peer: Arc<Peer>,
    pub(crate) will: Option<Box<Will>>,
    pub(crate) trace_id: TraceId,
    /// Given when it becomes the present connection of its device.
    pub(crate) epoch: u64,
    /// The task that reads; woken to write on when the socket was full.
    pub(crate) driver: Option<Waker>,
    /// How fast the client may send.
    pub(crate) reading: Pace,
    /// How fast it is sent to.
    pub(crate) writing: Pace,
    out: Output,
}

/// Bytes on their way out.
#[derive(Default)]
struct Output {
    bytes: Vec<u8>,
    written: usize,
    flushing: bool,
    /// Somebody is going to write what is there.
    claimed: bool,
    stalled_since: Option<Moment>,
}

thread_local! {
    /// A buffer that the next connection of this thread encodes into, so that an idle connection
    /// holds none and a busy one does not allocate.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The largest buffer that is kept for the next connection.
const SPARE_BYTES: usize = 64 * 1024;

impl Connection {
    pub(crate) fn new(
        io: Box<dyn Transport>,
        session: Session<Waiter>,
        peer: Arc<Peer>,
        will: Option<Box<Will>>,
    ) -> Self {
        Connection {
            io,
            session,
            peer,
            will,
            trace_id: TraceId::random(),
            epoch: 0,
            driver: None,
            reading: Pace::default(),
            writing: Pace::default(),
            out: Output::default(),
        }
    }

    /// The session together with the buffer it appends to.
    pub(crate) fn session_and_output(&mut self) -> (&mut Session<Waiter>, &mut Vec<u8>) {
        if self.out.bytes.capacity() == 0 {
            self.out.bytes = SPARE.take();
        }
        self.out.compact();
        (&mut self.session, &mut self.out.bytes)
    }

    /// Ends the session, which settles its waiters, and gives back what is still to be written.
    pub(crate) fn into_last_bytes(mut self) -> (Box<dyn Transport>, Vec<u8>) {
        self.out.compact();
        (self.io, self.out.bytes)
    }

    /// Whether there is something to write that nobody has promised to write; now the caller has.
    pub(crate) fn claim_write(&mut self) -> bool {
        let unclaimed = self.out.remaining() > 0 && !self.out.claimed;
        self.out.claimed |= unclaimed;
        unclaimed
    }

    /// Whether there may be a deadline earlier than those that were there before it was written to.
    pub(crate) fn has_new_deadlines(&self) -> bool {
        self.out.remaining() > 0 || self.session.has_resends() || self.session.has_backlog()
    }

    /// How many bytes wait to be written.
    pub(crate) fn pending_output(&self) -> usize {
        self.out.remaining()
    }

    /// When bytes that wait only for their pace may go on.
    pub(crate) fn resumes(&self, now: Moment) -> Option<Moment> {
        let writes = self.writing.held_until(now).filter(|_| self.out.remaining() > 0);
        self.reading.held_until(now).into_iter().chain(writes).min()
    }

    /// Since when the client has left bytes unread.
    pub(crate) fn stalled_since(&self) -> Option<Moment> {
        self.out.stalled_since
    }

    /// Writes what the socket takes now. What it does not take, the driver writes on.
    ///
    /// # Errors
    /// That of the socket; the connection is lost.
    pub(crate) fn write_now(&mut self, now: Moment, throughput: Option<u32>) -> io::Result<usize> {
        let before = self.out.remaining();
        self.out.claimed = false;
        let cx = &mut Context::from_waker(Waker::noop());
        match self.poll_write(cx, now, throughput) {
            Poll::Ready(result) => result?,
            Poll::Pending => {
                if let Some(driver) = &self.driver {
                    driver.wake_by_ref();
                }
            }
        }
        Ok(before - self.out.remaining())
    }

    /// Writes until there is nothing left, the socket is full or the throughput (bytes a second) is
    /// used up.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        now: Moment,
        throughput: Option<u32>,
    ) -> Poll<io::Result<()>> {
        if self.out.remaining() > 0 && self.writing.held_until(now).is_some() {
            return Poll::Pending;
        }
        let before = self.out.remaining();
        let polled = self.out.poll_write(Pin::new(&mut self.io), cx);
        self.writing.charge(before - self.out.remaining(), throughput, now);
        match &polled {
            Poll::Ready(_) => self.out.stalled_since = None,
            Poll::Pending => {
                self.out.stalled_since.get_or_insert(now);
            }
        }
        polled
    }
}

impl Output {
    fn remaining(&self) -> usize {
        self.bytes.len() - self.written
    }

    /// Drops what is written, so that the buffer's length is what still waits.
    fn compact(&mut self) {
        if self.written > 0 {
            self.bytes.drain(..self.written);
            self.written = 0;
        }
    }

    fn poll_write(
        &mut self,
        mut io: Pin<&mut Box<dyn Transport>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while self.written < self.bytes.len() {
            match io.as_mut().poll_write(cx, &self.bytes[self.written..]) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => {
                    self.written += written;
                    self.flushing = true;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        if self.flushing {
            match io.poll_flush(cx) {
                Poll::Ready(result) => result?,
                Poll::Pending => return Poll::Pending,
            }
            self.flushing = false;
        }
        self.release();
        Poll::Ready(Ok(()))
    }

    fn release(&mut self) {
        self.written = 0;
        let mut bytes = std::mem::take(&mut self.bytes);
        if bytes.capacity() > 0 && bytes.capacity() <= SPARE_BYTES {
            bytes.clear();
            SPARE.set(bytes);
        }
    }
}
