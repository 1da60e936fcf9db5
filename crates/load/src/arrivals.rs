//! What arrived, and what should not have or did not.

/// Counts over all subscribers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Arrivals {
    /// Messages received, each once for each subscriber.
    pub(crate) delivered: u64,
    /// Messages that never came: a later one of the same publisher did, or the run ended.
    pub(crate) lost: u64,
    /// Messages that came again.
    pub(crate) duplicated: u64,
    /// Messages of another publisher, with another quality of service, or with no label.
    pub(crate) foreign: u64,
}

impl Arrivals {
    /// Adds those of another subscriber.
    pub(crate) fn add(&mut self, other: Self) {
        self.delivered += other.delivered;
        self.lost += other.lost;
        self.duplicated += other.duplicated;
        self.foreign += other.foreign;
    }

    /// In which ways something is wrong; none if all is as it should be.
    pub(crate) fn faults(&self) -> Vec<String> {
        let Self { delivered: _, lost, duplicated, foreign } = self;
        let faults = [
            (*lost > 0).then(|| format!("{lost} messages were lost")),
            (*duplicated > 0).then(|| format!("{duplicated} messages came again")),
            (*foreign > 0)
                .then(|| format!("{foreign} messages were for somebody else or not as sent")),
        ];
        faults.into_iter().flatten().collect()
    }
}

/// What one subscriber knows of its publisher's messages.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Expectation {
    next: u64,
}

/// Which messages a delivery settles: those of `from..=last`, the last of which has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settled {
    /// The first one. Those before the last are lost.
    pub(crate) from: u64,
    /// The one that came.
    pub(crate) last: u64,
}

impl Expectation {
    /// The sequence number of the next message: how many have come or are lost.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// A message has come; `None` if it had come before. MQTT keeps the order of a publisher, so a
    /// gap is a loss.
    pub(crate) fn settle(&mut self, sequence: u64, arrivals: &mut Arrivals) -> Option<Settled> {
        if sequence < self.next {
            arrivals.duplicated += 1;
            return None;
        }
        let settled = Settled { from: self.next, last: sequence };
        arrivals.lost += sequence - self.next;
        arrivals.delivered += 1;
        self.next = sequence + 1;
        Some(settled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_losses_and_repetitions_duplicates() {
        let (mut expectation, mut arrivals) = (Expectation::default(), Arrivals::default());
        let settled = |from, last| Some(Settled { from, last });
        assert_eq!(expectation.settle(0, &mut arrivals), settled(0, 0));
        assert_eq!(expectation.settle(3, &mut arrivals), settled(1, 3));
        assert_eq!(expectation.settle(3, &mut arrivals), None);
        assert_eq!(expectation.settle(1, &mut arrivals), None);
        assert_eq!(expectation.settle(4, &mut arrivals), settled(4, 4));
        let expected = Arrivals { delivered: 3, lost: 2, duplicated: 2, foreign: 0 };
        assert_eq!(arrivals, expected);
    }
}
