//! What came of the cycles.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::latency::{Latencies, Latency};
use crate::transport::Handshake;
use crate::window::Window;

/// How many kinds of errors are told apart.
const MAX_ERRORS: usize = 64;

/// Everything counted at all places.
pub(crate) struct ConnectTally {
    /// From before the TCP connection until CONNACK, of cycles that began in the measured time.
    latencies: Latencies,
    /// Cycles that ended in the measured time.
    pub(crate) measured: u64,
    /// Full TLS handshakes, the warm-up included.
    pub(crate) full: u64,
    /// Resumed TLS sessions, the warm-up included.
    pub(crate) resumed: u64,
    /// Cycles that failed, by error.
    pub(crate) errors: BTreeMap<String, u64>,
}

impl ConnectTally {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        let (latencies, errors) = (Latencies::new(), BTreeMap::new());
        Self { latencies, measured: 0, full: 0, resumed: 0, errors }
    }

    /// A cycle has ended that began, was accepted and ended at these times.
    pub(crate) fn count(
        &mut self,
        (begun, accepted, ended): (Instant, Instant, Instant),
        handshake: Handshake,
        window: &Window,
    ) {
        match handshake {
            Handshake::None => {}
            Handshake::Full => self.full += 1,
            Handshake::Resumed => self.resumed += 1,
        }
        if window.measures(ended) {
            self.measured += 1;
        }
        if window.measures(begun) {
            self.latencies.record(accepted.saturating_duration_since(begun));
        }
    }

    /// A cycle has failed.
    pub(crate) fn error(&mut self, mut error: String) {
        if self.errors.len() >= MAX_ERRORS && !self.errors.contains_key(&error) {
            error = "(other)".to_owned();
        }
        *self.errors.entry(error).or_default() += 1;
    }

    /// Percentiles; `None` if nothing was measured.
    pub(crate) fn latency(&self) -> Option<Latency> {
        self.latencies.percentiles()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn cycles_count_when_they_end_and_handshakes_always() {
        let second = Duration::from_secs(1);
        let window = Window::new(Instant::now(), second, second, second);
        let mut tally = ConnectTally::new();
        let early = (window.start, window.start, window.measure_from);
        tally.count(early, Handshake::Full, &window);
        let inside = (window.measure_from, window.measure_from + second / 2, window.measure_to);
        tally.count(inside, Handshake::Resumed, &window);
        assert_eq!((tally.measured, tally.full, tally.resumed), (1, 1, 1));
        let latency = tally.latency().unwrap();
        assert_eq!(latency.count, 1);
        assert!((latency.p50 - 500_000.0).abs() < 1000.0, "{latency:?}");
    }

    #[test]
    fn errors_without_end_are_counted_together() {
        let mut tally = ConnectTally::new();
        for number in 0..1000 {
            tally.error(number.to_string());
        }
        assert_eq!(tally.errors.len(), MAX_ERRORS + 1);
        assert_eq!(tally.errors.values().sum::<u64>(), 1000);
    }
}
