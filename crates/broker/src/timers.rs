//! Deadlines of all devices: one heap and one task.
//!
//! A device has an entry here for its earliest deadline and for no later moment than needed; a
//! deadline that moved later is noticed when its entry comes up. So a message costs an entry only
//! when its deadline is earlier than any the device already waits for.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use engine::Moment;
use engine::close::CloseReason;
use parking_lot::Mutex;
use smallvec::SmallVec;
use tokio::sync::Notify;

use crate::device::{Device, State};
use crate::node::Node;
use crate::waiter::News;

/// The heap of deadlines.
#[derive(Default)]
pub(crate) struct Timers {
    heap: Mutex<BinaryHeap<Reverse<Entry>>>,
    earlier: Arc<Notify>,
}

struct Entry {
    at: Moment,
    device: Weak<Device>,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}

impl Timers {
    fn insert(&self, at: Moment, device: &Arc<Device>) {
        let mut heap = self.heap.lock();
        let first = heap.peek().is_none_or(|Reverse(entry)| at < entry.at);
        heap.push(Reverse(Entry { at, device: Arc::downgrade(device) }));
        drop(heap);
        if first {
            self.earlier.notify_one();
        }
    }

    /// Takes one entry that is due, or says when the next one is.
    fn poll(&self, now: Moment) -> Result<Entry, Option<Moment>> {
        let mut heap = self.heap.lock();
        match heap.peek() {
            Some(Reverse(entry)) if entry.at <= now => match heap.pop() {
                Some(Reverse(entry)) => Ok(entry),
                None => Err(None),
            },
            Some(Reverse(entry)) => Err(Some(entry.at)),
            None => Err(None),
        }
    }
}

impl Node {
    /// Makes sure that the device is looked at by its next deadline. Called with its lock held,
    /// after whatever may have brought the deadline forward.
    pub(crate) fn schedule(&self, device: &Arc<Device>, state: &mut State, now: Moment) {
        if let Some(at) = state.deadline(self.write_stall(), now) {
            self.schedule_at(device, state, at);
        }
    }

    /// Makes sure that the device is looked at by `at`, if all its other deadlines are scheduled.
    pub(crate) fn schedule_at(&self, device: &Arc<Device>, state: &mut State, at: Moment) {
        if state.scheduled.first().is_some_and(|scheduled| *scheduled <= at) {
            return;
        }
        state.scheduled.insert(0, at);
        self.timers.insert(at, device);
    }

    fn handle_timer(self: &Arc<Self>, entry: &Entry, now: Moment) {
        let Some(device) = entry.device.upgrade() else { return };
        let mut state = device.lock();
        state.scheduled.retain(|scheduled| *scheduled != entry.at);
        let mut expired = SmallVec::new();
        let due = self.handle_due(&device, &mut state, now, &mut expired);
        self.schedule(&device, &mut state, now);
        let epoch = state.epoch;
        drop(state);
        expired.into_iter().for_each(News::tell);
        match due {
            Due::Nothing => {}
            Due::Written => self.write_to(&device, now),
            Due::Will => self.end_delay(&device, now),
            Due::Close(reason) => self.close(&device, epoch, reason),
            Due::SessionEnded => self.end_session(&device, now),
            Due::Forgotten => self.forget(&device, now),
        }
    }

    fn handle_due(
        self: &Arc<Self>,
        device: &Arc<Device>,
        state: &mut State,
        now: Moment,
        expired: &mut SmallVec<[News; 2]>,
    ) -> Due {
        let Some(connection) = &mut state.connection else {
            if state.session.will.as_ref().is_some_and(|(_, due)| *due <= now) {
                return Due::Will;
            }
            return match (state.session.ends, state.session.forgotten) {
                (Some(ends), _) if ends <= now => Due::SessionEnded,
                (None, Some(forgotten)) if forgotten <= now => Due::Forgotten,
                (Some(_), _) | (None, Some(_) | None) => Due::Nothing,
            };
        };
        expired.extend(std::iter::from_fn(|| connection.poll_expired(now)));
        if self.bounds.close_on_missed_ack && expired.iter().any(News::is_missed_ack) {
            return Due::Close(CloseReason::MissedAck);
        }
        // Reading or writing may have been held back by its pace.
        if let Some(driver) = &connection.driver {
            driver.wake_by_ref();
        }
        let stall = self.write_stall();
        if connection.stalled_since().is_some_and(|since| since.after(stall) <= now) {
            return Due::Close(CloseReason::WriteStalled);
        }
        let (session, out) = connection.session_and_output();
        if let Some(reason) = session.handle_timeout(now, out) {
            return Due::Close(reason);
        }
        self.send_backlog(device, state, now);
        Due::Written
    }
}

enum Due {
    Nothing,
    /// There may be something to write.
    Written,
    /// The delay of a Will has passed.
    Will,
    Close(CloseReason),
    SessionEnded,
    Forgotten,
}

/// Wakes devices up at their deadlines until the node is gone.
pub(crate) async fn run(node: Weak<Node>) {
    loop {
        let Some(node) = node.upgrade() else { return };
        let now = node.now();
        node.forget_expired(now);
        node.departures.lock().forget_old(now);
        node.forget_deleted_shadows(now);
        let next = loop {
            match node.timers.poll(now) {
                Ok(entry) => node.handle_timer(&entry, now),
                Err(next) => break next,
            }
        };
        // Wakes up now and then to notice that the node is gone.
        let latest = now.after(Duration::from_secs(1));
        let until = node.clock.instant(next.map_or(latest, |next| next.min(latest)));
        let earlier = Arc::clone(&node.timers.earlier);
        drop(node);
        tokio::select! {
            () = tokio::time::sleep_until(until.into()) => {}
            () = earlier.notified() => {}
        }
    }
}
