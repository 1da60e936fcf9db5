//! One message and everybody who waits for it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use broker::{Dispatched, Node, OnTheWire, Settle, Settled};
use engine::Moment;
use engine::outcome::DirectOutcome;
use parking_lot::{Mutex, MutexGuard};
use smallvec::SmallVec;
use telemetry::TraceId;

use super::kept::is_never_sent;
use super::receipt::View;
use super::room::{Room, without_response};
use super::{Deliveries, Key, Link};

/// Bytes of a target that need no allocation of their own.
const TARGET_BYTES: usize = 48;

/// What is known of a message from the start. There are many of them for a long time: it is small,
/// and mostly one allocation with the record around it.
pub(crate) struct Known {
    pub(crate) trace_id: TraceId,
    pub(crate) target: Target,
    pub(crate) principal_id: Arc<str>,
    /// When it was taken in, in milliseconds since 1970.
    pub(crate) taken_in_millis: u64,
    pub(crate) key: Option<Key>,
    pub(crate) fingerprint: u64,
}

/// The device and the topic of a message.
pub(crate) struct Target {
    /// One after the other.
    text: SmallVec<[u8; TARGET_BYTES]>,
    client_id_bytes: usize,
}

impl Target {
    pub(crate) fn new(client_id: &str, topic: &str) -> Self {
        let mut text = SmallVec::with_capacity(client_id.len() + topic.len());
        text.extend_from_slice(client_id.as_bytes());
        text.extend_from_slice(topic.as_bytes());
        Target { text, client_id_bytes: client_id.len() }
    }

    pub(super) fn client_id(&self) -> &str {
        std::str::from_utf8(&self.text[..self.client_id_bytes]).unwrap_or_default()
    }

    pub(super) fn topic(&self) -> &str {
        std::str::from_utf8(&self.text[self.client_id_bytes..]).unwrap_or_default()
    }
}

/// One message. It hears of its PUBACK even after its sender was told that none came in time.
pub(crate) struct Record {
    known: Known,
    /// None of a message of an earlier process.
    link: Option<Arc<Link>>,
    state: Mutex<State>,
}

struct State {
    stage: Stage,
    /// Mostly one: its sender.
    waiting: SmallVec<[Waiting; 1]>,
    last: u32,
    dispatched: Option<Dispatched>,
    /// The next process will know that it was sent.
    kept: bool,
    /// It counts among those that were sent.
    counted: bool,
    /// Of the response that is kept.
    room: Option<Room>,
}

/// How far it is.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    /// Nobody knows yet.
    Pending,
    /// It was sent, and no PUBACK came in the time of its sender.
    TimedOut(Settled),
    /// Its PUBACK came, and its sender waits for a response.
    Answering { settled: Settled, late: bool },
    /// It has come to its end; late, if its sender had been told before.
    Ended { settled: Settled, late: bool },
    /// It came to its end in an earlier process.
    Earlier(Earlier),
}

/// The end of a message of an earlier process. Times are in milliseconds since 1970; the moments in
/// `settled` are none.
#[derive(Clone, Debug)]
pub(super) struct Earlier {
    pub(super) settled: Settled,
    pub(super) late: bool,
    pub(super) handed_over: u64,
    pub(super) acknowledged: Option<u64>,
}

/// Somebody who waits.
struct Waiting {
    number: u32,
    to: Arc<dyn Settle>,
    /// Whether it has a time of its own, being a repetition.
    joined: bool,
}

impl Record {
    pub(crate) fn new(known: Known, deliveries: &Arc<Deliveries>) -> Arc<Self> {
        let link = Some(Arc::clone(&deliveries.link));
        Arc::new(Record { known, link, state: Mutex::new(State::new(Stage::Pending)) })
    }

    /// A message of an earlier process.
    pub(super) fn of_earlier(known: Known, earlier: Earlier) -> Arc<Self> {
        let state = Mutex::new(State::new(Stage::Earlier(earlier)));
        Arc::new(Record { known, link: None, state })
    }

    /// More is known of a message of an earlier process.
    pub(super) fn set_earlier(&self, set: impl FnOnce(&mut Earlier)) {
        if let Stage::Earlier(earlier) = &mut self.state.lock().stage {
            set(earlier);
        }
    }

    pub(crate) fn trace_id(&self) -> TraceId {
        self.known.trace_id
    }

    pub(crate) fn key(&self) -> Option<&Key> {
        self.known.key.as_ref()
    }

    pub(super) fn known(&self) -> &Known {
        &self.known
    }

    /// Looks at the message as it stands.
    pub(super) fn with_view<R>(&self, look: impl FnOnce(View<'_>) -> R) -> R {
        look(self.view(&self.state.lock()))
    }

    fn view<'a>(&'a self, state: &'a State) -> View<'a> {
        View { known: &self.known, stage: &state.stage, dispatched: state.dispatched }
    }

    fn deliveries(&self) -> Option<Arc<Deliveries>> {
        self.link.as_ref()?.deliveries.upgrade()
    }

    /// Tells whoever wants to hear of a change; under the lock, so that all hear of changes in their
    /// order.
    fn tell(&self, state: &State) {
        if let Some(link) = &self.link
            && link.feed.is_wanted()
        {
            link.feed.tell(self.view(state));
        }
    }

    /// Whether both have a key, and the same.
    pub(super) fn has_same_key(&self, other: &Record) -> bool {
        let (Some(key), Some(others)) = (self.key(), other.key()) else { return false };
        key.text() == others.text() && self.known.principal_id == other.known.principal_id
    }

    pub(super) fn is_same_request(&self, other: &Record) -> bool {
        self.known.fingerprint == other.known.fingerprint
    }

    /// Its sender waits; gives the number of its seat.
    pub(crate) fn wait(&self, to: Arc<dyn Settle>) -> u32 {
        self.state.lock().push(to, false)
    }

    /// The seat of that number.
    pub(crate) fn seat(self: &Arc<Self>, number: u32) -> Seat {
        Seat { record: Arc::clone(self), number }
    }

    /// Whether anybody waits.
    pub(crate) fn is_awaited(&self) -> bool {
        !self.state.lock().waiting.is_empty()
    }

    /// A repetition waits for at most `timeout`; nothing is sent. Says where the message is and the
    /// number of its seat, or how it ended.
    pub(crate) fn join(
        self: &Arc<Self>,
        node: &Arc<Node>,
        to: Arc<dyn Settle>,
        timeout: Option<Duration>,
    ) -> Result<(Option<Dispatched>, u32), Settled> {
        let mut state = self.state.lock();
        if let Stage::Ended { settled, .. } | Stage::Earlier(Earlier { settled, .. }) = &state.stage
        {
            return Err(settled.clone());
        }
        let number = state.push(to, true);
        let dispatched = state.dispatched;
        drop(state);
        if let Some(timeout) = timeout {
            self.time_out_after(node, timeout, number);
        }
        Ok((dispatched, number))
    }

    /// Ends the wait of a repetition after `timeout`, and if nothing can be said of the message then
    /// after another.
    fn time_out_after(self: &Arc<Self>, node: &Arc<Node>, timeout: Duration, number: u32) {
        let (record, weak) = (Arc::clone(self), Arc::downgrade(node));
        node.call_after(timeout, move || {
            let Some(node) = weak.upgrade() else { return };
            if record.time_out(&node, number).is_none() {
                record.time_out_after(&node, timeout, number);
            }
        });
    }

    /// The message was handed to a connection.
    pub(crate) fn dispatched(&self, dispatched: Dispatched) {
        let mut state = self.state.lock();
        state.dispatched = Some(dispatched);
        self.keep_sent(&mut state, dispatched.epoch, dispatched.at);
        // Its PUBACK may have come first.
        if matches!(state.stage, Stage::Pending) {
            self.tell(&state);
        }
        self.count(state);
    }

    /// Takes down that it was sent, unless that was done.
    fn count(&self, mut state: MutexGuard<'_, State>) {
        let is_news = !std::mem::replace(&mut state.counted, true);
        drop(state);
        if is_news && let Some(deliveries) = self.deliveries() {
            deliveries.sent(self);
        }
    }

    /// Has the next process know that the message was sent, if that can matter and it does not yet.
    /// Under the lock, so that it is known before how it ended.
    fn keep_sent(&self, state: &mut State, epoch: u64, at: Moment) {
        if self.known.key.is_some()
            && !state.kept
            && let Some(deliveries) = self.deliveries()
        {
            state.kept = deliveries.keep_sent(&self.known, epoch, at);
        }
    }

    /// The same for how it ended.
    fn keep_end(&self, state: &mut State, settled: &Settled) {
        if let (Some(epoch), Some(at)) = (settled.epoch, settled.handed_over) {
            self.keep_sent(state, epoch, at);
        }
        if let Stage::Ended { settled, late } = &state.stage
            && state.kept
            && let Some(deliveries) = self.deliveries()
        {
            deliveries.keep_end(self.known.trace_id, settled, *late);
        }
    }

    /// Its PUBACK came; how it ends is told when the response is there, or late.
    pub(crate) fn acknowledged(&self, settled: &Settled) {
        let mut state = self.state.lock();
        let late = matches!(state.stage, Stage::TimedOut(_));
        state.stage = Stage::Answering { settled: settled.clone(), late };
        self.tell(&state);
    }

    /// Whether a repetition waits for it.
    pub(crate) fn is_joined(&self) -> bool {
        self.state.lock().waiting.iter().any(|waiting| waiting.joined)
    }

    /// The connection that it was handed to.
    pub(crate) fn sent(&self) -> Option<Dispatched> {
        self.state.lock().dispatched
    }

    /// It ended at once; its sender is told by the caller, repetitions that joined meanwhile here.
    pub(crate) fn end_at_once(&self, settled: &Settled) {
        let mut state = self.state.lock();
        state.waiting.retain(|waiting| waiting.joined);
        drop(state);
        self.settle(settled.clone());
    }

    /// The end as it is kept: a response only for whoever may ask for it again.
    fn stored(&self, settled: &Settled) -> (Settled, Option<Room>) {
        if self.known.key.is_some()
            && let Some(deliveries) = self.deliveries()
        {
            return deliveries.rooms.keep(settled);
        }
        (without_response(settled), None)
    }

    /// The time of a repetition is over. None if it has to wait on: the message waits for its device,
    /// or not a byte of it is written yet, and whether it will be is not known before the time of
    /// who sent it is over.
    fn time_out(&self, node: &Node, number: u32) -> Option<()> {
        let wire = match self.unsettled(number) {
            Unsettled::Told => return Some(()),
            Unsettled::Known => None,
            Unsettled::Waits => return None,
            Unsettled::Dispatched(dispatched) => {
                match node.whereabouts(self.known.target.client_id(), &dispatched) {
                    Some(OnTheWire::Never) | None => return None,
                    wire => wire,
                }
            }
        };
        let mut state = self.state.lock();
        let Some(waiting) = state.leave(number) else { return Some(()) };
        let settled = match &state.stage {
            Stage::TimedOut(settled) => settled.clone(),
            Stage::Answering { settled, .. } => {
                Settled { outcome: DirectOutcome::ResponseTimeout, ..settled.clone() }
            }
            Stage::Pending | Stage::Ended { .. } | Stage::Earlier(_) => Settled {
                handed_over: state.dispatched.map(|dispatched| dispatched.at),
                wire: wire.unwrap_or(OnTheWire::Sent { tcp_acknowledged: None }),
                ..Settled::refused(
                    DirectOutcome::ConfirmationTimeout,
                    state.dispatched.map(|dispatched| dispatched.epoch),
                )
            },
        };
        drop(state);
        waiting.to.settle(settled);
        Some(())
    }

    /// What a repetition can be told whose time is over.
    fn unsettled(&self, number: u32) -> Unsettled {
        let state = self.state.lock();
        if !state.waiting.iter().any(|waiting| waiting.number == number) {
            return Unsettled::Told;
        }
        match (&state.stage, state.dispatched) {
            (Stage::Pending, None) => Unsettled::Waits,
            (Stage::Pending, Some(dispatched)) => Unsettled::Dispatched(dispatched),
            (
                Stage::TimedOut(_)
                | Stage::Answering { .. }
                | Stage::Ended { .. }
                | Stage::Earlier(_),
                _,
            ) => Unsettled::Known,
        }
    }
}

/// The place of somebody who waits for a message.
#[derive(Clone)]
pub(crate) struct Seat {
    record: Arc<Record>,
    number: u32,
}

impl Seat {
    /// Whoever waited has gone away. May be called under the lock of its line.
    pub(crate) fn leave(&self) {
        let waiting = self.record.state.lock().leave(self.number);
        drop(waiting);
    }
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seat").field("number", &self.number).finish_non_exhaustive()
    }
}

/// What a repetition can be told whose time is over.
enum Unsettled {
    /// It was told already.
    Told,
    /// Nothing yet: the message waits for its device.
    Waits,
    /// Where the message is on its connection.
    Dispatched(Dispatched),
    /// What is known of the message.
    Known,
}

impl State {
    fn new(stage: Stage) -> Self {
        State {
            stage,
            waiting: SmallVec::new(),
            last: 0,
            dispatched: None,
            kept: false,
            counted: false,
            room: None,
        }
    }

    /// Takes out somebody who waits, if it still does.
    fn leave(&mut self, number: u32) -> Option<Waiting> {
        let at = self.waiting.iter().position(|waiting| waiting.number == number)?;
        Some(self.waiting.swap_remove(at))
    }

    fn push(&mut self, to: Arc<dyn Settle>, joined: bool) -> u32 {
        self.last += 1;
        self.waiting.push(Waiting { number: self.last, to, joined });
        self.last
    }

    /// Takes down the news; those who are to hear it.
    fn take(
        &mut self,
        settled: &Settled,
        stored: impl FnOnce(&Settled) -> (Settled, Option<Room>),
    ) -> SmallVec<[Waiting; 1]> {
        let goes_on = settled.outcome == DirectOutcome::ConfirmationTimeout
            && settled.wire != OnTheWire::Never;
        if goes_on {
            self.stage = Stage::TimedOut(settled.clone());
            // Repetitions have their own time.
            let (joined, first) =
                std::mem::take(&mut self.waiting).into_iter().partition(|waiting| waiting.joined);
            self.waiting = joined;
            return first;
        }
        let late = match self.stage {
            Stage::TimedOut(_) => true,
            Stage::Answering { late, .. } => late,
            Stage::Pending | Stage::Ended { .. } | Stage::Earlier(_) => false,
        };
        let (settled, room) = stored(settled);
        self.room = room;
        self.stage = Stage::Ended { settled, late };
        std::mem::take(&mut self.waiting)
    }
}

impl Settle for Record {
    fn settle(&self, settled: Settled) {
        let mut state = self.state.lock();
        // Its PUBACK was told of when it came.
        let is_news = !matches!(state.stage, Stage::Answering { .. });
        let told = state.take(&settled, |settled| self.stored(settled));
        if self.known.key.is_some() {
            self.keep_end(&mut state, &settled);
        }
        if is_news {
            self.tell(&state);
        }
        if !is_never_sent(&settled) {
            self.count(state);
        } else {
            drop(state);
            if let Some(deliveries) = self.deliveries() {
                deliveries.never_sent(self);
            }
        }
        for waiting in told {
            waiting.to.settle(settled.clone());
        }
    }
}
