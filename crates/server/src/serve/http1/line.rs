//! The line to a sender, which whoever has news for it may write to.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use api::{Exchange, Reply};
use broker::{Settle, Settled, Transport};
use parking_lot::{Mutex, MutexGuard};
use reactor::Ready;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::serve::date;
use crate::serve::wire::Wire;

thread_local! {
    /// A buffer for the next answer of this thread.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The largest buffer that is kept for it.
const SPARE_BYTES: usize = 64 * 1024;

/// A sender's connection. Its task reads; the answer to a confirmed message is written by the
/// thread that read the device's PUBACK, and that to a publish by the journal's once the message is
/// durable, so no task has to be woken.
///
/// Invariant: whoever holds the lock calls into the node for nothing but its log, its metrics and
/// its spans.
pub(super) struct Line(Mutex<State>);

/// What the lock protects.
pub(super) struct State {
    /// None once the connection was handed on.
    wire: Option<Wire>,
    out: Vec<u8>,
    written: usize,
    /// The transport has not passed everything on yet.
    flushing: bool,
    /// What the request that has no answer yet waits for, one at a time: answers keep the order of
    /// requests.
    awaited: Option<Awaited>,
    /// Counts requests, so that late news of one is not taken for news of another.
    requests: u64,
    /// The task has something to do once the request is answered.
    wake: Option<Waker>,
    /// Nothing can be written any more.
    broken: bool,
}

/// What a request waits for.
#[expect(clippy::large_enum_variant, reason = "a line has one, and mostly the large one")]
enum Awaited {
    /// Its device.
    Device(Exchange),
    /// Its message to be durable; whoever is told of that has the answer.
    Durability,
}

impl Line {
    pub(super) fn new(wire: Wire) -> Arc<Self> {
        Arc::new(Line(Mutex::new(State {
            wire: Some(wire),
            out: Vec::new(),
            written: 0,
            flushing: false,
            awaited: None,
            requests: 0,
            wake: None,
            broken: false,
        })))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }

    /// Whoever waits for the present request, to be told about it.
    pub(super) fn waiter(self: &Arc<Self>, request: u64) -> Arc<dyn Settle> {
        Arc::new(Ticket { line: Arc::clone(self), request })
    }

    /// Answers the request of that number, which waited for its message to be durable.
    pub(super) fn answer(&self, request: u64, reply: &Reply) {
        let mut state = self.lock();
        // The sender may have gone away; then nobody is left to tell.
        if state.requests == request
            && let Some(Awaited::Durability) = state.awaited
        {
            state.awaited = None;
            tell(state, reply);
        }
    }
}

/// Writes the answer that the task waits for.
fn tell(mut state: MutexGuard<'_, State>, reply: &Reply) {
    state.append(reply);
    state.write();
    let wake = state.wake.take();
    drop(state);
    if let Some(task) = wake {
        task.wake();
    }
}

/// The news of one request.
struct Ticket {
    line: Arc<Line>,
    request: u64,
}

impl Settle for Ticket {
    fn settle(&self, settled: Settled) {
        let mut state = self.line.lock();
        if state.requests != self.request {
            return;
        }
        // The sender may have gone away; then nobody is left to tell.
        let Some(exchange) = state.take_exchange() else { return };
        tell(state, &exchange.settle(settled));
    }
}

impl State {
    /// Hears what a turn of the reactor brought.
    pub(super) fn note_ready(&mut self, ready: Ready) {
        if let Some(wire) = &mut self.wire {
            wire.note_ready(ready);
        }
    }

    /// Reads what is there.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let Some(wire) = &mut self.wire else { return Poll::Ready(Ok(0)) };
        let mut buffer = ReadBuf::new(buffer);
        Pin::new(wire).poll_read(cx, &mut buffer).map_ok(|()| buffer.filled().len())
    }

    /// Begins a request that may have to wait for its device; gives its number.
    pub(super) fn begin(&mut self, exchange: Exchange) -> u64 {
        self.count();
        self.awaited = Some(Awaited::Device(exchange));
        self.requests
    }

    /// Begins a request that may have to wait for its message to be durable; gives its number.
    pub(super) fn begin_durable(&mut self) -> u64 {
        self.count();
        self.awaited = Some(Awaited::Durability);
        self.requests
    }

    /// The request of that number, if it waits for its device.
    pub(super) fn exchange(&mut self, request: u64) -> Option<&mut Exchange> {
        match &mut self.awaited {
            Some(Awaited::Device(exchange)) if self.requests == request => Some(exchange),
            Some(Awaited::Device(_) | Awaited::Durability) | None => None,
        }
    }

    /// Gives the request that waits up, and takes it out if it waits for its device.
    pub(super) fn take_exchange(&mut self) -> Option<Exchange> {
        match self.awaited.take() {
            Some(Awaited::Device(exchange)) => Some(exchange),
            Some(Awaited::Durability) | None => None,
        }
    }

    /// Has the task woken once the present request has its answer.
    pub(super) fn wake_after(&mut self, waker: &Waker) {
        match &mut self.wake {
            Some(present) => present.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
    }

    /// Whether a request has no answer yet.
    pub(super) fn is_waiting(&self) -> bool {
        self.awaited.is_some()
    }

    /// How many requests there were so far.
    pub(super) fn requests(&self) -> u64 {
        self.requests
    }

    /// Counts a request that has its answer already.
    pub(super) fn count(&mut self) {
        self.requests += 1;
    }

    pub(super) fn append(&mut self, reply: &Reply) {
        if self.out.capacity() == 0 {
            self.out = SPARE.take();
        }
        date::with(|date| reply.write(date, &mut self.out));
    }

    /// Writes what the socket takes; the rest goes with the socket's next turn.
    pub(super) fn write(&mut self) {
        let Some(wire) = &mut self.wire else { return };
        let cx = &mut Context::from_waker(Waker::noop());
        while self.written < self.out.len() {
            match Pin::new(&mut *wire).poll_write(cx, &self.out[self.written..]) {
                Poll::Ready(Ok(0) | Err(_)) => {
                    self.broken = true;
                    return;
                }
                Poll::Ready(Ok(written)) => self.written += written,
                Poll::Pending => return,
            }
        }
        let flushed = Pin::new(wire).poll_flush(cx);
        self.flushing = flushed.is_pending();
        self.broken |= matches!(flushed, Poll::Ready(Err(_)));
        self.release();
    }

    /// Gives the buffer to the next connection that needs one: an idle one holds none.
    fn release(&mut self) {
        self.written = 0;
        let mut out = std::mem::take(&mut self.out);
        if out.capacity() > 0 && out.capacity() <= SPARE_BYTES {
            out.clear();
            SPARE.set(out);
        }
    }

    /// Whether everything is written.
    pub(super) fn is_written(&self) -> bool {
        self.pending_output() == 0 && !self.flushing
    }

    /// How many bytes wait to be written.
    pub(super) fn pending_output(&self) -> usize {
        self.out.len() - self.written
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Takes the connection out, with what is still to be written to it.
    pub(super) fn take_wire(&mut self) -> Option<(Wire, Vec<u8>)> {
        let wire = self.wire.take()?;
        self.out.drain(..self.written);
        self.written = 0;
        Some((wire, std::mem::take(&mut self.out)))
    }
}
