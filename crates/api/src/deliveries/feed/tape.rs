//! The newest events, and how far each reader is.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tokio::sync::Notify;

use super::event::Event;
use super::filter::Filter;
use super::position::{Position, Since};

/// How many events are looked at, at most, while whoever has news of a message may have to wait.
const LOOKS: usize = 256;

/// How many events a reader takes at once, at most.
const TAKEN: usize = 16;

/// The newest events of a run, in order. There is one copy of each however many read, and no reader
/// keeps one: what a slow reader has not taken is gone with the oldest, and counted.
pub(super) struct Tape {
    /// Which run it is; another one whenever nothing was recorded for a while.
    run: u64,
    /// The number of the newest event.
    last: u64,
    events: VecDeque<Arc<Event>>,
    most: usize,
    seats: BTreeMap<u64, Seat>,
    most_seats: usize,
    /// Counts readers.
    visits: u64,
    recording: bool,
    /// Somebody looks after a while whether everything can be forgotten.
    watched: bool,
}

/// One reader.
struct Seat {
    filter: Filter,
    /// The number of the last event that it took or that was not for it.
    cursor: u64,
    /// Events for it that it did not take in time.
    left_out: u64,
    wake: Arc<Notify>,
}

/// A reader that was let in.
pub(super) struct Entered {
    pub(super) seat: u64,
    pub(super) wake: Arc<Notify>,
    /// Where it begins.
    pub(super) at: Position,
    /// Whether that is where it wanted to begin.
    pub(super) gap: bool,
}

/// What a reader takes.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// How many events before these it did not take in time.
    pub(super) left_out: u64,
    pub(super) events: Vec<Arc<Event>>,
    /// Where it was before these.
    pub(super) from: u64,
    /// Whether there may be more.
    pub(super) more: bool,
}

impl Tape {
    /// Keeps that many events for that many readers.
    pub(super) fn new(most: usize, most_seats: usize) -> Self {
        Tape {
            run: 0,
            last: 0,
            events: VecDeque::new(),
            most,
            seats: BTreeMap::new(),
            most_seats,
            visits: 0,
            recording: false,
            watched: false,
        }
    }

    /// Takes down an event, unless nobody has read for a while.
    pub(super) fn append(&mut self, event: Event) {
        if !self.recording {
            return;
        }
        self.last += 1;
        let event = Arc::new(Event { number: self.last, ..event });
        let oldest = if self.events.len() >= self.most { self.events.pop_front() } else { None };
        for seat in self.seats.values_mut() {
            if let Some(oldest) = &oldest {
                seat.lose(oldest);
            }
            if seat.filter.admits(&event) {
                seat.wake.notify_one();
            }
        }
        self.events.push_back(event);
    }

    /// Lets a reader in; none if there is no room. `new_run` gives the name of a run.
    pub(super) fn enter(
        &mut self,
        filter: Filter,
        since: Since,
        new_run: impl FnOnce() -> u64,
    ) -> Option<Entered> {
        if self.seats.len() >= self.most_seats {
            return None;
        }
        if !self.recording {
            (self.recording, self.run, self.last) = (true, new_run(), 0);
        }
        let forgotten = self.last - self.events.len() as u64;
        let (cursor, gap) = match since {
            Since::Now => (self.last, false),
            Since::Event(Position { run, number })
                if run == self.run && (forgotten..=self.last).contains(&number) =>
            {
                (number, false)
            }
            Since::Event(_) | Since::Unknown => (forgotten, true),
        };
        self.visits += 1;
        let (seat, wake) = (self.visits, Arc::new(Notify::new()));
        let present = Seat { filter, cursor, left_out: 0, wake: Arc::clone(&wake) };
        self.seats.insert(seat, present);
        Some(Entered { seat, wake, at: Position { run: self.run, number: cursor }, gap })
    }

    /// What there is for a reader.
    pub(super) fn take(&mut self, seat: u64) -> Taken {
        let Some(seat) = self.seats.get_mut(&seat) else { return Taken::default() };
        let mut taken = Taken {
            left_out: std::mem::take(&mut seat.left_out),
            from: seat.cursor,
            ..Taken::default()
        };
        let forgotten = self.last - self.events.len() as u64;
        let unread = usize::try_from(seat.cursor - forgotten).unwrap_or(usize::MAX);
        for event in self.events.range(unread..).take(LOOKS) {
            seat.cursor = event.number;
            if seat.filter.admits(event) {
                taken.events.push(Arc::clone(event));
                if taken.events.len() == TAKEN {
                    break;
                }
            }
        }
        taken.more = seat.cursor < self.last;
        taken
    }

    /// A reader goes. If nobody is left and nobody watches yet, how many readers there were so far:
    /// whoever hears of it has to [forget](Tape::forget) after a while.
    pub(super) fn leave(&mut self, seat: u64) -> Option<u64> {
        self.seats.remove(&seat);
        if !self.seats.is_empty() || self.watched {
            return None;
        }
        self.watched = true;
        Some(self.visits)
    }

    /// Forgets everything, if nobody reads and nobody did since there were `visits` readers. If
    /// somebody did who is gone again, how many there were: to be tried again after a while.
    pub(super) fn forget(&mut self, visits: u64) -> Option<u64> {
        if self.seats.is_empty() && self.visits != visits {
            return Some(self.visits);
        }
        self.watched = false;
        if self.seats.is_empty() {
            self.recording = false;
            self.events = VecDeque::new();
        }
        None
    }

    /// Whether events are taken down.
    pub(super) fn is_recording(&self) -> bool {
        self.recording
    }
}

impl Seat {
    /// An event goes that it may not have taken.
    fn lose(&mut self, event: &Event) {
        if self.cursor < event.number {
            self.cursor = event.number;
            self.left_out += u64::from(self.filter.admits(event));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::tests::event;
    use super::*;

    const ME: &str = "me";

    fn tape() -> Tape {
        Tape::new(4, 2)
    }

    fn enter(tape: &mut Tape, since: Since) -> Entered {
        let filter = Filter::parse(&ME.into(), &["lamp-*"]).expect("a pattern");
        tape.enter(filter, since, || 7).expect("room")
    }

    /// Changes of messages to these devices.
    fn append(tape: &mut Tape, client_ids: &[&str]) {
        client_ids.iter().for_each(|client_id| tape.append(event(ME, client_id)));
    }

    fn take(tape: &mut Tape, reader: &Entered) -> (u64, Vec<String>) {
        let taken = tape.take(reader.seat);
        (taken.left_out, taken.events.iter().map(|event| event.client_id.to_string()).collect())
    }

    fn told(client_ids: &[&str]) -> (u64, Vec<String>) {
        (0, client_ids.iter().map(|client_id| (*client_id).to_owned()).collect())
    }

    #[test]
    fn a_reader_gets_what_is_for_it_in_order_and_once() {
        let mut tape = tape();
        let reader = enter(&mut tape, Since::Now);
        append(&mut tape, &["lamp-1", "fan", "lamp-2"]);
        assert_eq!(take(&mut tape, &reader), told(&["lamp-1", "lamp-2"]));
        assert_eq!(take(&mut tape, &reader), told(&[]));
        append(&mut tape, &["lamp-3"]);
        assert_eq!(take(&mut tape, &reader), told(&["lamp-3"]));
    }

    #[test]
    fn a_slow_reader_is_told_how_many_of_its_own_were_left_out() {
        let mut tape = tape();
        let reader = enter(&mut tape, Since::Now);
        append(&mut tape, &["lamp-1", "fan", "lamp-2", "lamp-3", "lamp-4", "lamp-5", "lamp-6"]);
        let (left_out, events) = take(&mut tape, &reader);
        assert_eq!((left_out, events), (2, told(&["lamp-3", "lamp-4", "lamp-5", "lamp-6"]).1));
        append(&mut tape, &["lamp-7"]);
        assert_eq!(take(&mut tape, &reader), told(&["lamp-7"]), "told once");
    }

    #[test]
    fn whoever_comes_back_goes_on_where_it_was() {
        let mut tape = tape();
        let reader = enter(&mut tape, Since::Now);
        append(&mut tape, &["lamp-1", "lamp-2", "lamp-3"]);
        tape.leave(reader.seat);
        append(&mut tape, &["lamp-4"]);
        let after = |number| Since::Event(Position { run: 7, number });
        let again = enter(&mut tape, after(2));
        assert!(!again.gap);
        assert_eq!(take(&mut tape, &again), told(&["lamp-3", "lamp-4"]));
        append(&mut tape, &["lamp-5", "lamp-6"]);
        tape.leave(again.seat);
        for (since, gap) in [
            (after(2), false),
            (after(1), true),
            (after(99), true),
            (Since::Event(Position { run: 8, number: 3 }), true),
            (Since::Unknown, true),
        ] {
            let reader = enter(&mut tape, since);
            assert_eq!(reader.gap, gap, "{since:?}");
            let all = told(&["lamp-3", "lamp-4", "lamp-5", "lamp-6"]);
            assert_eq!(take(&mut tape, &reader), all, "{since:?}");
            tape.leave(reader.seat);
        }
    }

    #[test]
    fn there_is_room_for_so_many_readers() {
        let mut tape = tape();
        let first = enter(&mut tape, Since::Now);
        enter(&mut tape, Since::Now);
        let filter = Filter::parse(&ME.into(), &["*"]).expect("a pattern");
        assert!(tape.enter(filter, Since::Now, || 7).is_none());
        tape.leave(first.seat);
        enter(&mut tape, Since::Now);
    }

    #[test]
    fn everything_is_forgotten_once_nobody_has_read_for_a_while() {
        let mut tape = tape();
        append(&mut tape, &["lamp-0"]);
        assert!(!tape.is_recording() && tape.events.is_empty(), "nobody reads");
        let reader = enter(&mut tape, Since::Now);
        append(&mut tape, &["lamp-1"]);
        let visits = tape.leave(reader.seat).expect("the last one goes");
        let reader = enter(&mut tape, Since::Now);
        assert_eq!(tape.leave(reader.seat), None, "somebody watches already");
        let visits = tape.forget(visits).expect("somebody was here");
        assert!(tape.is_recording());
        assert_eq!(tape.forget(visits), None);
        assert!(!tape.is_recording() && tape.events.is_empty());
    }

    #[test]
    fn much_that_is_not_for_a_reader_is_looked_through_in_parts() {
        let mut tape = Tape::new(1000, 1);
        let reader = enter(&mut tape, Since::Now);
        append(&mut tape, &["fan"; 300]);
        append(&mut tape, &["lamp-1"; 20]);
        let taken = tape.take(reader.seat);
        assert!(taken.events.is_empty() && taken.more);
        let taken = tape.take(reader.seat);
        assert!(taken.events.len() == TAKEN && taken.more);
        let taken = tape.take(reader.seat);
        assert!(taken.events.len() == 20 - TAKEN && !taken.more);
    }
}
