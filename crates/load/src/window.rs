//! The times of one run.

use std::time::{Duration, Instant};

/// When a run starts, and which part of it is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// The first request.
    pub(crate) start: Instant,
    /// The end of the warm-up.
    pub(crate) measure_from: Instant,
    /// No request is sent from here on.
    pub(crate) measure_to: Instant,
    /// How long answers are waited for.
    pub(crate) deadline: Instant,
}

impl Window {
    /// A run that starts at `start`.
    pub(crate) fn new(
        start: Instant,
        warmup: Duration,
        measured: Duration,
        grace: Duration,
    ) -> Self {
        let measure_from = start + warmup;
        let measure_to = measure_from + measured;
        Self { start, measure_from, measure_to, deadline: measure_to + grace }
    }

    /// Whether a moment belongs to the measured part.
    pub(crate) fn measures(&self, moment: Instant) -> bool {
        self.measure_from <= moment && moment < self.measure_to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_warm_up_and_the_end_are_not_measured() {
        let second = Duration::from_secs(1);
        let start = Instant::now();
        let window = Window::new(start, second, second * 2, second);
        assert!(!window.measures(start));
        assert!(window.measures(start + second));
        assert!(!window.measures(start + second * 3));
        assert_eq!(window.deadline, start + second * 4);
    }
}
