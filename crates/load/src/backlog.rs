//! Requests of an open loop that are due and not yet sent.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Semaphore;

/// The queue between the pacer and the senders of one thread. A request waits here only while every
/// sender waits for an answer; its wait counts, because it keeps its intended time.
///
/// Invariant: the semaphore has one permit for each queued request, and after
/// [`finish`](Self::finish) one more for each sender.
pub(crate) struct Backlog {
    due: Semaphore,
    capacity: usize,
    state: Mutex<State>,
}

struct State {
    queue: VecDeque<Instant>,
    figures: BacklogFigures,
}

/// What became of the scheduled requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BacklogFigures {
    /// Requests that came due.
    pub(crate) scheduled: u64,
    /// The most that waited at once.
    pub(crate) longest: u64,
    /// Requests given up because the queue was full.
    pub(crate) dropped: u64,
    /// Requests that were still waiting at the end.
    pub(crate) unsent: u64,
}

impl BacklogFigures {
    /// Adds those of another thread.
    pub(crate) fn add(&mut self, other: Self) {
        self.scheduled += other.scheduled;
        self.longest += other.longest;
        self.dropped += other.dropped;
        self.unsent += other.unsent;
    }
}

impl Backlog {
    /// An empty queue for at most `capacity` requests.
    pub(crate) fn new(capacity: usize) -> Self {
        let queue = VecDeque::with_capacity(capacity);
        let state = Mutex::new(State { queue, figures: BacklogFigures::default() });
        Self { due: Semaphore::new(0), capacity, state }
    }

    /// Takes a request that came due at `intended`.
    pub(crate) fn offer(&self, intended: Instant) {
        let mut state = self.state();
        state.figures.scheduled += 1;
        if state.queue.len() == self.capacity {
            state.figures.dropped += 1;
            return;
        }
        state.queue.push_back(intended);
        state.figures.longest = state.figures.longest.max(state.queue.len() as u64);
        self.due.add_permits(1);
    }

    /// Says that nothing more will come: each of `senders` is sent home once the queue is empty.
    pub(crate) fn finish(&self, senders: usize) {
        self.due.add_permits(senders);
    }

    /// Waits for a request that is due: its intended time, or `None` after the last one.
    pub(crate) async fn take(&self) -> Option<Instant> {
        let permit = self.due.acquire().await.expect("the semaphore is never closed");
        permit.forget();
        self.state().queue.pop_front()
    }

    /// The figures; what is queued now counts as unsent.
    pub(crate) fn figures(&self) -> BacklogFigures {
        let state = self.state();
        BacklogFigures { unsent: state.queue.len() as u64, ..state.figures }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn requests_keep_their_intended_time_and_order() {
        let backlog = Backlog::new(10);
        let start = Instant::now();
        let later = start + Duration::from_millis(3);
        backlog.offer(start);
        backlog.offer(later);
        backlog.finish(1);
        assert_eq!(backlog.take().await, Some(start));
        assert_eq!(backlog.take().await, Some(later));
        assert_eq!(backlog.take().await, None);
    }

    #[tokio::test]
    async fn a_full_backlog_drops_the_newest_and_says_so() {
        let backlog = Backlog::new(2);
        let start = Instant::now();
        for millis in 0..5 {
            backlog.offer(start + Duration::from_millis(millis));
        }
        assert_eq!(backlog.take().await, Some(start));
        let expected = BacklogFigures { scheduled: 5, longest: 2, dropped: 3, unsent: 1 };
        assert_eq!(backlog.figures(), expected);
    }

    #[tokio::test]
    async fn every_sender_is_sent_home() {
        let backlog = Backlog::new(1);
        backlog.finish(2);
        assert_eq!(backlog.take().await, None);
        assert_eq!(backlog.take().await, None);
    }
}
