//! Rate limits: a token bucket in one atomic word (generic cell rate algorithm), and a pace in bytes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::Moment;

/// How many events a second, and how many at once after a quiet time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Events a second in the long run.
    pub per_second: u32,
    /// Events that may come at once.
    pub burst: u32,
}

impl Rate {
    /// `per_second` events a second, and as many at once.
    pub const fn per_second(per_second: u32) -> Self {
        Rate { per_second, burst: per_second }
    }

    fn interval_micros(self) -> u64 {
        1_000_000 / u64::from(self.per_second.max(1))
    }

    /// The theoretical arrival time after one more event, in microseconds, or how long until there
    /// may be one.
    fn next_arrival(self, arrival: u64, now: Moment) -> Result<u64, Duration> {
        let interval = self.interval_micros();
        let capacity = interval.saturating_mul(u64::from(self.burst.max(1)));
        let now = now.micros();
        let next = arrival.max(now).saturating_add(interval);
        if next > now.saturating_add(capacity) {
            return Err(Duration::from_micros(next - now - capacity));
        }
        Ok(next)
    }
}

/// How a bucket is asked: [`Bucket::take`] or [`Bucket::look`].
pub trait Draw: FnOnce(&Bucket, Option<Rate>, Moment) -> Result<(), Duration> {}

impl<D: FnOnce(&Bucket, Option<Rate>, Moment) -> Result<(), Duration>> Draw for D {}

/// A token bucket. Lock-free; many callers may draw from it at once.
///
/// The word holds the *theoretical arrival time*: the moment at which the bucket would be full
/// again, in microseconds.
#[derive(Debug, Default)]
pub struct Bucket(AtomicU64);

impl Bucket {
    /// A full bucket.
    pub const fn new() -> Self {
        Bucket(AtomicU64::new(0))
    }

    /// How long until a token can be taken that leaves `spare` others; zero if that is now. Takes
    /// nothing.
    pub fn until_spare(&self, rate: Option<Rate>, spare: u32, now: Moment) -> Duration {
        let Some(rate) = rate else { return Duration::ZERO };
        let interval = rate.interval_micros();
        let capacity = interval.saturating_mul(u64::from(rate.burst.max(1)));
        let wanted = interval.saturating_mul(u64::from(spare) + 1);
        let now = now.micros();
        let next = self.0.load(Ordering::Relaxed).max(now).saturating_add(wanted);
        Duration::from_micros(next.saturating_sub(now.saturating_add(capacity)))
    }

    /// Takes one token, or says how long until there is one. `None` as the rate means no limit.
    ///
    /// # Errors
    /// The time to wait when the bucket is empty.
    pub fn take(&self, rate: Option<Rate>, now: Moment) -> Result<(), Duration> {
        let Some(rate) = rate else { return Ok(()) };
        let mut arrival = self.0.load(Ordering::Relaxed);
        loop {
            let next = rate.next_arrival(arrival, now)?;
            match self.0.compare_exchange_weak(arrival, next, Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => return Ok(()),
                Err(seen) => arrival = seen,
            }
        }
    }

    /// Whether everything that was taken has come back, at whatever rate that is.
    pub fn is_full(&self, now: Moment) -> bool {
        self.0.load(Ordering::Relaxed) <= now.micros()
    }

    /// Says what [`Bucket::take`] would, and takes nothing.
    ///
    /// # Errors
    /// The time to wait when the bucket is empty.
    pub fn look(&self, rate: Option<Rate>, now: Moment) -> Result<(), Duration> {
        let Some(rate) = rate else { return Ok(()) };
        rate.next_arrival(self.0.load(Ordering::Relaxed), now).map(|_| ())
    }
}

/// The pace of a byte stream: what goes faster is not refused but has to wait. A second's worth may
/// go at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    /// The moment until which the bytes so far are paid for.
    paid_until: Moment,
}

impl Pace {
    /// Books `bytes` against `per_second`; no rate books nothing.
    pub fn charge(&mut self, bytes: usize, per_second: Option<u32>, now: Moment) {
        let Some(per_second) = per_second else { return };
        let micros = (bytes as u64).saturating_mul(1_000_000) / u64::from(per_second.max(1));
        self.paid_until = self.paid_until.max(now).after(Duration::from_micros(micros));
    }

    /// Until when nothing more may go.
    pub fn held_until(&self, now: Moment) -> Option<Moment> {
        let ahead = self.paid_until.since(now);
        ahead
            .checked_sub(Duration::from_secs(1))
            .filter(|excess| !excess.is_zero())
            .map(|excess| now.after(excess))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_the_next_is_told_how_long_to_wait() {
        let bucket = Bucket::new();
        let rate = Some(Rate { per_second: 10, burst: 3 });
        let now = Moment::from_micros(1_000_000);
        for _ in 0..3 {
            assert_eq!(bucket.take(rate, now), Ok(()));
        }
        assert_eq!(bucket.take(rate, now), Err(Duration::from_millis(100)));
        assert!(!bucket.is_full(now.after(Duration::from_millis(299))));
        assert!(bucket.is_full(now.after(Duration::from_millis(300))));
        assert_eq!(bucket.take(rate, now.after(Duration::from_millis(100))), Ok(()));
    }

    #[test]
    fn whoever_leaves_tokens_to_others_waits_for_its_own() {
        let bucket = Bucket::new();
        let rate = Some(Rate { per_second: 10, burst: 4 });
        let now = Moment::from_micros(1_000_000);
        for _ in 0..2 {
            assert_eq!(bucket.until_spare(rate, 2, now), Duration::ZERO);
            assert_eq!(bucket.take(rate, now), Ok(()));
        }
        assert_eq!(bucket.until_spare(rate, 2, now), Duration::from_millis(100));
        assert_eq!(bucket.until_spare(rate, 1, now), Duration::ZERO);
        let later = now.after(Duration::from_millis(100));
        assert_eq!(bucket.until_spare(rate, 2, later), Duration::ZERO);
        assert_eq!(bucket.until_spare(None, 2, now), Duration::ZERO);
    }

    #[test]
    fn to_look_says_what_to_take_would_and_takes_nothing() {
        let bucket = Bucket::new();
        let rate = Some(Rate { per_second: 10, burst: 2 });
        let now = Moment::from_micros(1_000_000);
        for _ in 0..2 {
            for _ in 0..5 {
                assert_eq!(bucket.look(rate, now), Ok(()));
            }
            assert_eq!(bucket.take(rate, now), Ok(()));
        }
        assert_eq!(bucket.look(rate, now), Err(Duration::from_millis(100)));
        assert_eq!(bucket.look(None, now), Ok(()));
    }

    #[test]
    fn a_pace_lets_a_second_go_and_then_holds() {
        let mut pace = Pace::default();
        let now = Moment::from_micros(5);
        pace.charge(1000, Some(1000), now);
        assert_eq!(pace.held_until(now), None);
        pace.charge(500, Some(1000), now);
        let free = now.after(Duration::from_millis(500));
        assert_eq!(pace.held_until(now), Some(free));
        assert_eq!(pace.held_until(free), None);
    }

    #[test]
    fn no_rate_is_no_limit() {
        let bucket = Bucket::new();
        for _ in 0..100_000 {
            assert_eq!(bucket.take(None, Moment::START), Ok(()));
        }
    }
}
