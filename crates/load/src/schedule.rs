//! The intended send times of an open loop.

use std::time::Duration;

/// The most requests a second that can be asked for.
pub(crate) const MAX_RATE: u32 = 1_000_000;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// Which requests, of all that are sent at a fixed rate, one thread sends, and when. Request `n` of
/// all threads is due `n / rate` seconds after the start; thread `t` of `T` has requests `t`,
/// `t + T`, `t + 2T` and so on, so that together they are as even as one thread would be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    rate: u64,
    thread: u64,
    threads: u64,
}

impl Schedule {
    /// The part of thread `thread` of `threads`. `rate` is for all threads together, per second,
    /// and at most [`MAX_RATE`].
    pub(crate) fn new(rate: u32, thread: u32, threads: u32) -> Self {
        Self { rate: rate.into(), thread: thread.into(), threads: threads.into() }
    }

    /// When this thread's request `index` is due, from the start of the run. It does not depend on
    /// how earlier requests went, which is what makes the loop open.
    pub(crate) fn due(&self, index: u64) -> Duration {
        let overall = index * self.threads + self.thread;
        // Whole seconds apart, so that the product fits for every run there can be.
        let (seconds, rest) = (overall / self.rate, overall % self.rate);
        Duration::from_nanos(seconds * NANOS_PER_SECOND + rest * NANOS_PER_SECOND / self.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_due_at_even_distances() {
        let schedule = Schedule::new(1000, 0, 1);
        assert_eq!(schedule.due(0), Duration::ZERO);
        assert_eq!(schedule.due(1), Duration::from_millis(1));
        assert_eq!(schedule.due(2500), Duration::from_millis(2500));
    }

    #[test]
    fn rounding_does_not_add_up() {
        let schedule = Schedule::new(3, 0, 1);
        assert_eq!(schedule.due(1), Duration::from_nanos(333_333_333));
        assert_eq!(schedule.due(3_000_000), Duration::from_secs(1_000_000));
    }

    #[test]
    fn threads_interleave_to_the_schedule_of_one() {
        let parts = [0, 1, 2].map(|thread| Schedule::new(700, thread, 3));
        let whole = Schedule::new(700, 0, 1);
        for overall in 0..2100_u64 {
            let part = &parts[usize::try_from(overall % 3).unwrap()];
            assert_eq!(part.due(overall / 3), whole.due(overall));
        }
    }

    #[test]
    fn the_highest_rate_over_the_longest_run_does_not_overflow() {
        let schedule = Schedule::new(MAX_RATE, 63, 64);
        let index = u64::from(MAX_RATE) * 3600 / 64;
        assert!(schedule.due(index) >= Duration::from_secs(3599));
    }
}
