//! How long things took.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::metrics::access::Access;

/// Upper bounds of the buckets, in microseconds: 100 µs to 15 s (the longest wait for a
/// confirmation), in steps of 2 to 2.5. One more bucket holds what took longer.
pub(crate) const BOUNDS: [u64; 17] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 5_000_000, 10_000_000, 15_000_000,
];

/// Counts of durations by bucket, and their sum.
#[derive(Default)]
pub(crate) struct Histogram {
    /// Not cumulative: one addition for each observation. [`Totals`] adds up.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    sum_micros: AtomicU64,
}

impl Histogram {
    pub(super) fn observe(&self, duration: Duration, access: Access) {
        let micros = duration.as_secs().saturating_mul(1_000_000);
        let micros = micros.saturating_add(duration.subsec_micros().into());
        let bucket = BOUNDS.partition_point(|bound| *bound < micros);
        access.add(&self.buckets[bucket], 1);
        access.add(&self.sum_micros, micros);
    }
}

/// The sum of several histograms at one moment.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Observations up to each bound, and last all of them.
    pub(crate) cumulative: [u64; BOUNDS.len() + 1],
    /// The sum of what was observed, in microseconds.
    pub(crate) sum_micros: u64,
}

impl Totals {
    pub(crate) fn of<'h>(histograms: impl Iterator<Item = &'h Histogram>) -> Self {
        let mut totals = Totals::default();
        for histogram in histograms {
            let mut up_to_here = 0;
            for (total, bucket) in totals.cumulative.iter_mut().zip(&histogram.buckets) {
                up_to_here += bucket.load(Ordering::Relaxed);
                *total += up_to_here;
            }
            totals.sum_micros += histogram.sum_micros.load(Ordering::Relaxed);
        }
        totals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_cumulative_and_bounds_belong_to_the_lower_bucket() {
        let (a, b) = (Histogram::default(), Histogram::default());
        a.observe(Duration::ZERO, Access::Shared);
        a.observe(Duration::from_micros(100), Access::Shared);
        a.observe(Duration::from_micros(101), Access::Shared);
        b.observe(Duration::from_secs(15), Access::Shared);
        b.observe(Duration::from_micros(15_000_001), Access::Shared);
        let totals = Totals::of([&a, &b].into_iter());
        assert_eq!(totals.cumulative[0], 2);
        assert_eq!(totals.cumulative[1], 3);
        assert_eq!(totals.cumulative[15], 3);
        assert_eq!(totals.cumulative[16], 4);
        assert_eq!(totals.cumulative[17], 5);
        assert_eq!(totals.sum_micros, 201 + 30_000_001);
    }

    #[test]
    fn the_longest_duration_does_not_overflow() {
        let histogram = Histogram::default();
        histogram.observe(Duration::MAX, Access::Alone);
        assert_eq!(Totals::of([&histogram].into_iter()).cumulative[17], 1);
    }
}
