//! A moment that is taken down on the way.

use std::sync::atomic::{AtomicU64, Ordering};

use engine::Moment;

/// A moment that one thread takes down and another one may read; none until then. The last one
/// counts.
#[derive(Debug, Default)]
pub struct Mark(
    /// One microsecond more than the moment; 0 for none.
    AtomicU64,
);

impl Mark {
    /// Takes a moment down.
    pub fn set(&self, moment: Moment) {
        self.0.store(moment.micros().saturating_add(1), Ordering::Release);
    }

    /// The moment, if one was taken down.
    pub fn get(&self) -> Option<Moment> {
        self.0.load(Ordering::Acquire).checked_sub(1).map(Moment::from_micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_moment_counts_and_the_start_of_the_node_is_one() {
        let mark = Mark::default();
        assert_eq!(mark.get(), None);
        for moment in [Moment::START, Moment::from_micros(7)] {
            mark.set(moment);
            assert_eq!(mark.get(), Some(moment));
        }
    }
}
