//! The end of the server, as far as an exporter is concerned.

use std::pin::pin;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout_at};

/// Hears when the server ends, and until when work may go on then.
pub(super) struct Closing {
    end: oneshot::Receiver<Instant>,
    deadline: Option<Instant>,
}

impl Closing {
    /// Whoever has the other half of `end` sends the deadline. Drops it, and the time is over at once.
    pub(super) fn new(end: oneshot::Receiver<Instant>) -> Self {
        Closing { end, deadline: None }
    }

    /// Whether the server ends.
    pub(super) fn has_begun(&self) -> bool {
        self.deadline.is_some()
    }

    /// Waits until the server ends; gives the deadline.
    async fn begun(&mut self) -> Instant {
        if let Some(deadline) = self.deadline {
            return deadline;
        }
        let deadline = (&mut self.end).await.unwrap_or_else(|_| Instant::now());
        *self.deadline.insert(deadline)
    }

    /// Does the work, which the end of the server gives until the deadline; `None` if that was not
    /// enough.
    pub(super) async fn finish<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        tokio::select! {
            biased;
            done = &mut work => Some(done),
            deadline = self.begun() => timeout_at(deadline, work).await.ok(),
        }
    }

    /// Does the work until the server ends.
    pub(super) async fn interrupt(&mut self, work: impl Future<Output = ()>) {
        tokio::select! {
            () = work => {}
            _ = self.begun() => {}
        }
    }

    /// Waits that long, but not beyond the beginning of the end.
    pub(super) async fn pause(&mut self, time: Duration) {
        self.interrupt(sleep(time)).await;
    }
}
