//! HTTP/1.1 as the SDKs speak it, without a detour: a request is read, its message written to the
//! device and its answer to the sender by whichever threads these come in on.
//!
//! Only requests of one plain form are dealt with here; a connection that sends anything else (an
//! upgrade, chunks, `Expect`, something malformed) goes to the HTTP library with every byte it sent,
//! and stays there, so that what is unusual behaves as the library has it. One that begins with the
//! preface of HTTP/2 is served as such.

mod alarm;
mod line;
mod request;

use std::cell::RefCell;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use api::{Begun, Caller, Credentials, Sent};
use broker::Transport;
use reactor::{Next, Ready, Task, Turn};
use telemetry::TraceId;
use tokio::io::AsyncWriteExt;

use self::alarm::Alarm;
use self::line::Line;
use self::request::{Bounds, Found, Request};
use super::http::{self, Held};
use super::http2;
use super::listen::{Doors, Visit};
use super::occupancy::Presence;
use super::rewound::Rewound;
use super::wire::Wire;

/// How much is read at once.
const SCRATCH_BYTES: usize = 64 * 1024;

/// How many reads of a turn at most: a sender that goes on without end must not hold up others.
const READS: usize = 2;

/// How much may wait to be written to a sender that does not read, before no more is read from it.
const OUTPUT_BYTES: usize = 64 * 1024;

thread_local! {
    /// What a thread reads into, and no connection keeps.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; SCRATCH_BYTES]);
}

/// One connection.
pub(super) struct Http1 {
    line: Arc<Line>,
    doors: Doors,
    presence: Presence,
    caller: Arc<Caller>,
    /// What has come of a request that is not whole, or has to wait for the one before it.
    inbox: Vec<u8>,
    alarm: Alarm,
    bounds: Bounds,
}

/// How far the present requests got.
enum Progress {
    /// More has to come.
    Waits,
    /// The request before has to be answered first.
    Blocked,
    /// It is the library's.
    Foreign,
}

impl Http1 {
    pub(super) fn new(wire: Wire, credentials: Credentials, secure: bool, visit: Visit) -> Self {
        let Visit { doors, source, target, presence } = visit;
        let bounds = Bounds {
            head: doors.api.node().bounds().http_head_bytes,
            body: doors.api.body_bytes(),
        };
        Http1 {
            line: Line::new(wire),
            alarm: Alarm::new(doors.draining.clone()),
            caller: Arc::new(Caller { source, target, secure, credentials }),
            doors,
            presence,
            inbox: Vec::new(),
            bounds,
        }
    }

    /// Reads what is there and answers what can be answered.
    fn advance(&mut self, turn: &mut Turn<'_, '_>, scratch: &mut [u8]) -> Next {
        self.line.lock().note_ready(turn.ready);
        let mut progress = match self.inbox.is_empty() {
            true => Progress::Waits,
            false => self.handle(&[]),
        };
        for _ in 0..READS {
            if let Progress::Foreign = progress {
                return self.hand_on(turn);
            }
            let line = Arc::clone(&self.line);
            let mut state = line.lock();
            state.write();
            if state.is_broken() {
                return Next::End;
            }
            if let Progress::Blocked = progress {
                if !state.is_waiting() {
                    // It was answered just now, on another thread.
                    drop(state);
                    progress = self.handle(&[]);
                    continue;
                }
                state.wake_after(turn.context.waker());
            }
            // A sender that goes ahead of its answers is not read from until it has them.
            let ahead = state.is_waiting() && self.inbox.len() >= self.bounds.head;
            if ahead || state.pending_output() > OUTPUT_BYTES {
                return Next::Wait;
            }
            let length = match state.poll_read(turn.context, scratch) {
                Poll::Pending => return self.rest(&mut state, turn),
                Poll::Ready(Ok(0) | Err(_)) => return Next::End,
                Poll::Ready(Ok(length)) => length,
            };
            drop(state);
            progress = self.handle(&scratch[..length]);
        }
        if let Progress::Foreign = progress {
            return self.hand_on(turn);
        }
        // Others come first.
        self.line.lock().write();
        turn.context.waker().wake_by_ref();
        Next::Wait
    }

    /// Nothing more for now. A server that drains lets a connection go once it is answered.
    fn rest(&self, state: &mut line::State, turn: &Turn<'_, '_>) -> Next {
        if !self.doors.api.node().is_draining() {
            return Next::Wait;
        }
        if state.is_waiting() {
            state.wake_after(turn.context.waker());
        }
        let done = !state.is_waiting() && state.is_written() && self.inbox.is_empty();
        if done { Next::End } else { Next::Wait }
    }

    /// Deals with the requests in what came before and in `fresh`.
    fn handle(&mut self, fresh: &[u8]) -> Progress {
        if self.inbox.is_empty() {
            let (progress, used) = self.handle_requests(fresh);
            self.inbox.extend_from_slice(&fresh[used..]);
            return progress;
        }
        let mut inbox = std::mem::take(&mut self.inbox);
        inbox.extend_from_slice(fresh);
        let (progress, used) = self.handle_requests(&inbox);
        inbox.drain(..used);
        if !inbox.is_empty() {
            self.inbox = inbox;
        }
        progress
    }

    /// Deals with the requests at the beginning of `bytes`; says how many bytes are done with.
    fn handle_requests(&mut self, bytes: &[u8]) -> (Progress, usize) {
        let mut used = 0;
        while used < bytes.len() {
            if self.line.lock().is_waiting() {
                return (Progress::Blocked, used);
            }
            match Found::parse(&bytes[used..], self.bounds) {
                Found::Whole(request) => {
                    self.alarm.whole();
                    used += request.length;
                    self.answer(&request);
                }
                Found::Part { head } => {
                    self.alarm.partial(head);
                    break;
                }
                Found::Foreign => return (Progress::Foreign, used),
            }
        }
        (Progress::Waits, used)
    }

    fn answer(&mut self, request: &Request<'_>) {
        let (head, api, trace_id) = (request.head(), &self.doors.api, TraceId::random());
        let (exchange, dispatch) = match api.begin(&head, request.body, &self.caller, trace_id) {
            Begun::Direct(exchange, dispatch) => (exchange, dispatch),
            Begun::Later(later) => {
                // In its place before it is told: that may be at once, or on another thread.
                let number = self.line.lock().begin_durable();
                let line = Arc::clone(&self.line);
                later.when_answered(move |reply| line.answer(number, &reply));
                return;
            }
            Begun::Answered(reply) => {
                let mut state = self.line.lock();
                state.count();
                state.append(&reply);
                return;
            }
        };
        // Before the message goes out: its PUBACK may come in on another thread at once.
        let number = self.line.lock().begin(exchange);
        let sent = dispatch.send(api.node(), || self.line.waiter(number));
        let mut state = self.line.lock();
        match sent {
            Sent::Waiting(progress) => {
                if let Some(exchange) = state.exchange(number) {
                    exchange.note(progress);
                }
            }
            Sent::Settled(progress, settled) => {
                if let Some(mut exchange) = state.take_exchange() {
                    exchange.note(progress);
                    state.append(&exchange.settle(settled));
                }
            }
        }
    }

    /// Gives the connection to the HTTP library. Requests that came before have their answers.
    fn hand_on(&mut self, turn: &Turn<'_, '_>) -> Next {
        let Some((mut wire, unwritten)) = self.line.lock().take_wire() else { return Next::End };
        if wire.leave(turn).is_err() {
            return Next::End;
        }
        let inbox = std::mem::take(&mut self.inbox);
        let caller = Arc::clone(&self.caller);
        let held = Held { doors: self.doors.clone(), presence: self.presence.clone() };
        tokio::spawn(async move {
            // What could not be written of earlier answers goes first.
            let patience = held.doors.api.node().bounds().http_idle;
            let writing = tokio::time::timeout(patience, wire.write_all(&unwritten));
            let Ok(Ok(())) = writing.await else { return };
            let is_http2 = inbox.starts_with(http2::PREFACE);
            let stream = Rewound::new(inbox, wire);
            match is_http2 {
                true => http2::serve(stream, caller, held).await,
                false => http::serve(stream, caller, held).await,
            }
        });
        Next::End
    }

    /// What the passing of time asks for.
    fn handle_time(&mut self, turn: &mut Turn<'_, '_>) -> Option<Next> {
        let state = self.line.lock();
        let (requests, busy) = (state.requests(), state.is_waiting());
        drop(state);
        let bounds = self.doors.api.node().bounds();
        match self.alarm.poll(turn.context, alarm::Seen { requests, busy }, bounds) {
            alarm::Verdict::GoOn => None,
            alarm::Verdict::Over => Some(Next::End),
            alarm::Verdict::BodyTimedOut => {
                let mut state = self.line.lock();
                state.append(&self.doors.api.body_timed_out(TraceId::random()));
                state.write();
                Some(Next::End)
            }
        }
    }
}

impl Task for Http1 {
    fn run(&mut self, turn: &mut Turn<'_, '_>) -> Next {
        // A turn without the socket's doing is the alarm's, or an answer's for which more waits.
        if (turn.ready == Ready::NOTHING || !self.alarm.is_armed())
            && let Some(next) = self.handle_time(turn)
        {
            return next;
        }
        SCRATCH.with_borrow_mut(|scratch| self.advance(turn, scratch))
    }
}

impl Drop for Http1 {
    /// A request that still waits is given up: its sender has gone away. Its waiter may keep the line
    /// for a while, but not the socket.
    fn drop(&mut self) {
        let mut state = self.line.lock();
        let (exchange, wire) = (state.take_exchange(), state.take_wire());
        drop(state);
        drop(exchange);
        if let Some((mut wire, _)) = wire {
            // The connection is over either way.
            let _ = wire.poll_close(&mut Context::from_waker(Waker::noop()));
        }
    }
}
