//! One socket of one client, under one epoch.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use engine::Moment;
use engine::access::Peer;
use engine::close::CloseReason;
use engine::outcome::DirectOutcome;
use engine::rate::Pace;
use engine::session::Session;
use telemetry::TraceId;

use crate::Transport;
use crate::catch_up::CatchUp;
use crate::output::{Output, Span};
use crate::waiter::{HandedOver, News, OnTheWire, Waiter};
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
    /// When that was.
    pub(crate) since: Moment,
    /// The task that reads; woken to write on when the socket was full.
    pub(crate) driver: Option<Waker>,
    /// Subscriptions that have retained messages to come.
    pub(crate) catch_ups: VecDeque<CatchUp>,
    /// How fast the client may send.
    pub(crate) reading: Pace,
    /// How fast it is sent to.
    pub(crate) writing: Pace,
    out: Output,
}

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
            since: Moment::START,
            driver: None,
            catch_ups: VecDeque::new(),
            reading: Pace::default(),
            writing: Pace::default(),
            out: Output::default(),
        }
    }

    /// The session together with the buffer it appends to.
    pub(crate) fn session_and_output(&mut self) -> (&mut Session<Waiter>, &mut Vec<u8>) {
        (&mut self.session, self.out.buffer())
    }

    /// Ends the session, which settles its waiters, and gives back what is still to be written.
    pub(crate) fn into_last_bytes(self) -> (Box<dyn Transport>, Vec<u8>) {
        (self.io, self.out.into_bytes())
    }

    /// The place in the stream of what is appended next.
    pub(crate) fn output_end(&self) -> u64 {
        self.out.end()
    }

    /// The message that was appended last, from `start` on, was tried to be written; whoever waits for
    /// it until `until` learns where it is.
    pub(crate) fn hand_over(
        &mut self,
        start: u64,
        at: Moment,
        until: Option<Moment>,
    ) -> (OnTheWire, HandedOver) {
        let span = Span { start, end: self.out.end() };
        let through = self.out.is_through(span);
        let produced = if through { self.io.produced() } else { None };
        let message =
            HandedOver { epoch: self.epoch, at, span, until: until.unwrap_or(at), produced };
        if until.is_some()
            && let Some(waiter) = self.session.newest_waiter()
        {
            waiter.hand_over(message);
        }
        let wire = match self.out.has_begun(span) {
            false => OnTheWire::Never,
            true if through => OnTheWire::Sent { tcp_acknowledged: None },
            true => OnTheWire::Sent { tcp_acknowledged: Some(false) },
        };
        (wire, message)
    }

    /// Takes the message that was appended last, from `start` on, out again; nothing of it was
    /// written.
    pub(crate) fn take_back(&mut self, start: u64) {
        let span = Span { start, end: self.out.end() };
        self.out.withdraw(span);
    }

    /// How far a message got. One of which nothing was written is taken out, and never will be.
    pub(crate) fn withdraw(&mut self, message: &HandedOver) -> OnTheWire {
        let wire = self.whereabouts(message);
        if wire == OnTheWire::Never {
            self.out.withdraw(message.span);
        }
        wire
    }

    /// How far a message has got; what has not begun may begin later.
    pub(crate) fn whereabouts(&self, message: &HandedOver) -> OnTheWire {
        match self.out.has_begun(message.span) {
            false => OnTheWire::Never,
            true => OnTheWire::Sent { tcp_acknowledged: self.tcp_acknowledged(message) },
        }
    }

    /// Whether the peer's TCP has acknowledged the whole message; none if that is not known.
    fn tcp_acknowledged(&self, message: &HandedOver) -> Option<bool> {
        if !self.out.is_through(message.span) {
            return Some(false);
        }
        let outstanding = self.io.unacknowledged()?;
        if outstanding == 0 {
            return Some(true);
        }
        let end = message.produced?;
        Some(self.io.produced()?.saturating_sub(outstanding) >= end)
    }

    /// A confirmation that did not come in time. A message that was sent keeps its packet ID and its
    /// waiter, so that a late PUBACK meets nothing else and is heard; one that was not is gone.
    pub(crate) fn poll_expired(&mut self, now: Moment) -> Option<News> {
        loop {
            let (id, waiter) = self.session.poll_expired(now)?;
            let message = waiter.handed_over();
            let wire = message.map_or(OnTheWire::Never, |message| self.withdraw(&message));
            let until = message.map_or(now, |message| message.until);
            if wire != OnTheWire::Never && until > now {
                // It was on the wire by its deadline; the PUBACK has more time.
                self.session.wait_on(id, until);
                continue;
            }
            let outcome = match until > now {
                true => DirectOutcome::DeadlineExceeded,
                false => DirectOutcome::ConfirmationTimeout,
            };
            let news = self.session.waiter_mut(id)?.time_out(outcome, wire);
            if wire == OnTheWire::Never {
                self.session.forget_direct(id);
            }
            return Some(news);
        }
    }

    /// Tells every waiter how far its message got, before the connection ends. What was not begun
    /// is not written any more.
    pub(crate) fn withdraw_all(&mut self, reason: CloseReason) {
        let messages: Vec<HandedOver> =
            self.session.waiters_mut().filter_map(|waiter| waiter.handed_over()).collect();
        for message in &messages {
            let wire = self.withdraw(message);
            let mut waiters = self.session.waiters_mut();
            let its = |waiter: &&mut Waiter| {
                waiter.handed_over().is_some_and(|other| other.span == message.span)
            };
            if let Some(waiter) = waiters.find(its) {
                waiter.got(wire, reason);
            }
        }
    }

    /// Whether there is something to write that nobody has promised to write; now the caller has.
    pub(crate) fn claim_write(&mut self) -> bool {
        self.out.claim()
    }

    /// Whether there may be a deadline earlier than those that were there before it was written to.
    pub(crate) fn has_new_deadlines(&self) -> bool {
        self.out.remaining() > 0 || self.session.has_resends() || self.has_backlog()
    }

    /// Whether messages wait for their turn.
    pub(crate) fn has_backlog(&self) -> bool {
        self.session.has_backlog() || !self.catch_ups.is_empty()
    }

    /// Whether one more message of those that can wait may be sent.
    pub(crate) fn has_room(&mut self) -> bool {
        self.session.has_room(self.out.buffer())
    }

    /// How many bytes wait to be written.
    pub(crate) fn pending_output(&self) -> usize {
        self.out.remaining()
    }

    /// Whether nothing can be written now, as far as is known: the socket was full when it was last
    /// written to, or the pace is held.
    pub(crate) fn is_blocked(&self, now: Moment) -> bool {
        let full = self.out.remaining() > 0 && self.stalled_since().is_some();
        full || self.writing.held_until(now).is_some()
    }

    /// When bytes that wait only for their pace may go on.
    pub(crate) fn resumes(&self, now: Moment) -> Option<Moment> {
        let writes = self.writing.held_until(now).filter(|_| self.out.remaining() > 0);
        self.reading.held_until(now).into_iter().chain(writes).min()
    }

    /// Since when the client has left bytes unread.
    pub(crate) fn stalled_since(&self) -> Option<Moment> {
        self.out.stalled_since()
    }

    /// Writes what the socket takes now. What it does not take, the driver writes on.
    ///
    /// # Errors
    /// That of the socket; the connection is lost.
    pub(crate) fn write_now(&mut self, now: Moment, throughput: Option<u32>) -> io::Result<usize> {
        let before = self.out.remaining();
        self.out.unclaim();
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
        let polled = self.out.poll_write(Pin::new(&mut self.io), cx, now);
        self.writing.charge(before - self.out.remaining(), throughput, now);
        polled
    }
}
