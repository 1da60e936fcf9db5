//! When messages are due: as soon as there is room, or at fixed times.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

use crate::schedule::Schedule;

/// When the messages of one publisher are due.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// When they are sent.
    Closed,
    /// At fixed times.
    Open(Timetable),
}

/// The fixed times of one publisher.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timetable {
    start: Instant,
    schedule: Schedule,
    /// How many messages have come due.
    released: u64,
}

impl Pace {
    /// When message `sequence` was due, if it is sent `now`.
    pub(crate) fn due(&self, sequence: u64, now: Instant) -> Instant {
        match self {
            Self::Closed => now,
            Self::Open(timetable) => timetable.start + timetable.schedule.due(sequence),
        }
    }

    /// One more message has come due.
    pub(crate) fn release(&mut self) {
        match self {
            Self::Closed => {}
            Self::Open(timetable) => timetable.released += 1,
        }
    }
}

impl Timetable {
    /// Of publisher `number` of `publishers`, which send `rate` messages a second together.
    pub(crate) fn new(start: Instant, rate: u32, (number, publishers): (u32, u32)) -> Self {
        Self { start, schedule: Schedule::new(rate, number, publishers), released: 0 }
    }

    /// How many messages have come due.
    pub(crate) fn released(&self) -> u64 {
        self.released
    }
}

/// Whose message is due next, over all publishers, and an alarm for that time: a poller counts in
/// milliseconds, which is more than a message takes.
pub(crate) struct Clock {
    start: Instant,
    schedule: Schedule,
    publishers: u32,
    next: u64,
    alarm: OwnedFd,
}

impl Clock {
    /// From `start`, for `publishers` that send `rate` messages a second together.
    ///
    /// # Errors
    /// When the system has no timer.
    pub(crate) fn new(start: Instant, rate: u32, publishers: u32) -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let alarm = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        Ok(Self { start, schedule: Schedule::new(rate, 0, 1), publishers, next: 0, alarm })
    }

    /// The publisher of the next message that is due before `end`, once for each message.
    pub(crate) fn next_before(&mut self, end: Instant) -> Option<u32> {
        if self.start + self.schedule.due(self.next) >= end {
            return None;
        }
        let publisher = (self.next % u64::from(self.publishers)) as u32;
        self.next += 1;
        Some(publisher)
    }

    /// Makes the alarm ready to be read when the next message is due, and only then.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn set_alarm(&self, now: Instant) -> io::Result<()> {
        let due = self.start + self.schedule.due(self.next);
        // A duration of zero would stop the timer instead.
        let wait = due.saturating_duration_since(now).max(Duration::from_nanos(1));
        let once = Itimerspec {
            it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: Timespec::try_from(wait).map_err(|_| io::ErrorKind::InvalidInput)?,
        };
        timerfd_settime(&self.alarm, TimerfdTimerFlags::empty(), &once)?;
        Ok(())
    }
}

impl AsFd for Clock {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.alarm.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::poller::{Interest, Poller};

    #[test]
    fn publishers_take_turns_at_the_times_of_their_own_timetables() {
        let start = Instant::now();
        let mut clock = Clock::new(start, 1000, 3).unwrap();
        let end = start + Duration::from_millis(5);
        let turns: Vec<u32> = std::iter::from_fn(|| clock.next_before(end)).collect();
        assert_eq!(turns, [0, 1, 2, 0, 1]);
        let second = Pace::Open(Timetable::new(start, 1000, (1, 3)));
        assert_eq!(second.due(1, end), start + Duration::from_millis(4));
        assert_eq!(Pace::Closed.due(7, end), end);
    }

    #[test]
    fn the_alarm_wakes_a_poller_each_time() {
        let start = Instant::now();
        let clock = Clock::new(start, 1000, 1).unwrap();
        let mut poller = Poller::new().unwrap();
        poller.add(&clock, 5, Interest::Reading).unwrap();
        for _ in 0..2 {
            clock.set_alarm(start).unwrap();
            assert_eq!(poller.wait(None).unwrap(), 1);
            assert_eq!(poller.ready(0).token, 5);
        }
    }
}
