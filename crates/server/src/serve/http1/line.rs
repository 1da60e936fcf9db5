//! The line to a sender, which whoever has news for it may write to.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use api::{Exchange, Reply};
use broker::{Settle, Settled, Transport, Waiter};
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
/// thread that read the device's PUBACK, so no task has to be woken.
///
/// Invariant: whoever holds the lock calls into the node for nothing but its log and its metrics.
pub(super) struct Line(Mutex<State>);

/// What the lock protects.
pub(super) struct State {
    /// None once the connection was handed on.
    wire: Option<Wire>,
    out: Vec<u8>,
    written: usize,
    /// The transport has not passed everything on yet.
    flushing: bool,
    /// The request that waits for its device, one at a time: answers keep the order of requests.
    exchange: Option<Exchange>,
    /// Counts requests, so that late news of one is not taken for news of another.
    requests: u64,
    /// The task has something to do once the request is answered.
    wake: Option<Waker>,
    /// Nothing can be written any more.
    broken: bool,
}

impl Line {
    pub(super) fn new(wire: Wire) -> Arc<Self> {
        Arc::new(Line(Mutex::new(State {
            wire: Some(wire),
            out: Vec::new(),
            written: 0,
            flushing: false,
            exchange: None,
            requests: 0,
            wake: None,
            broken: false,
        })))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }

    /// Whoever waits for the present request, to be told about it.
    pub(super) fn waiter(self: &Arc<Self>, request: u64) -> Waiter {
        Waiter::new(Arc::new(Ticket { line: Arc::clone(self), request }))
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
        let Some(exchange) = state.exchange.take() else { return };
        state.append(&exchange.settle(settled));
        state.write();
        let wake = state.wake.take();
        drop(state);
        if let Some(task) = wake {
            task.wake();
        }
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

    /// Begins a request that may have to wait; gives its number.
    pub(super) fn begin(&mut self, exchange: Exchange) -> u64 {
        self.requests += 1;
        self.exchange = Some(exchange);
        self.requests
    }

    /// The request of that number, if it has no answer yet.
    pub(super) fn exchange(&mut self, request: u64) -> Option<&mut Exchange> {
        if self.requests == request { self.exchange.as_mut() } else { None }
    }

    /// Takes the request that waits out of it.
    pub(super) fn take_exchange(&mut self) -> Option<Exchange> {
        self.exchange.take()
    }

    /// Has the task woken once the present request has its answer.
    pub(super) fn wake_after(&mut self, waker: &Waker) {
        match &mut self.wake {
            Some(present) => present.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
    }

    pub(super) fn has_exchange(&self) -> bool {
        self.exchange.is_some()
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
