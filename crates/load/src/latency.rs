//! How long things took, as percentiles.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

/// The longest latency that is told from longer ones, in nanoseconds: two minutes.
const MAX_LATENCY: u64 = 120_000_000_000;
/// Decimal digits that a percentile is exact to.
const SIGNIFICANT_DIGITS: u8 = 3;

/// Latencies, one after the other.
pub(crate) struct Latencies(Histogram<u64>);

/// Latency in microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Latency {
    /// How many there were.
    pub(crate) count: u64,
    /// Half are not slower.
    pub(crate) p50: f64,
    /// 90 % are not slower.
    pub(crate) p90: f64,
    /// 99 % are not slower.
    pub(crate) p99: f64,
    /// 99.9 % are not slower.
    pub(crate) p999: f64,
    /// The slowest.
    pub(crate) max: f64,
    /// The average.
    pub(crate) mean: f64,
}

impl Latencies {
    /// None yet.
    pub(crate) fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, MAX_LATENCY, SIGNIFICANT_DIGITS);
        Self(histogram.expect("the bounds fit the digits"))
    }

    /// One more.
    pub(crate) fn record(&mut self, latency: Duration) {
        self.0.saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Those of another thread as well.
    pub(crate) fn add(&mut self, other: &Self) {
        self.0.add(&other.0).expect("all histograms have the same bounds");
    }

    /// Percentiles; `None` if there is nothing.
    pub(crate) fn percentiles(&self) -> Option<Latency> {
        let at = |quantile| micros(self.0.value_at_quantile(quantile));
        (!self.0.is_empty()).then(|| Latency {
            count: self.0.len(),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: micros(self.0.max()),
            mean: self.0.mean() / 1000.0,
        })
    }
}

impl Latency {
    /// One object.
    pub(crate) fn json(self) -> Value {
        let Self { count, p50, p90, p99, p999, max, mean } = self;
        json!({
            "count": count, "p50": p50, "p90": p90, "p99": p99, "p99.9": p999, "max": max,
            "mean": mean,
        })
    }
}

/// The count, then two lines of a table.
impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, p50, p90, p99, p999, max, .. } = self;
        writeln!(f, "{count} measured")?;
        writeln!(f, "  {:>10} {:>10} {:>10} {:>10} {:>10}", "p50", "p90", "p99", "p99.9", "max")?;
        writeln!(f, "  {p50:>10.1} {p90:>10.1} {p99:>10.1} {p999:>10.1} {max:>10.1}")
    }
}

fn micros(nanos: u64) -> f64 {
    nanos as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_in_microseconds() {
        let (mut latencies, mut other) = (Latencies::new(), Latencies::new());
        assert!(latencies.percentiles().is_none());
        for micros in 1..=500 {
            latencies.record(Duration::from_micros(micros));
            other.record(Duration::from_micros(500 + micros));
        }
        latencies.add(&other);
        let Latency { count, p50, p90, p99, p999, max, mean } = latencies.percentiles().unwrap();
        assert_eq!(count, 1000);
        for (value, expected) in
            [(p50, 500.0), (p90, 900.0), (p99, 990.0), (p999, 999.0), (max, 1000.0), (mean, 500.5)]
        {
            assert!((value - expected).abs() <= expected / 500.0, "{value} is not {expected}");
        }
    }
}
