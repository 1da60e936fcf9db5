//! Acknowledgements that wait for their time.

use std::collections::VecDeque;
use std::time::Duration;

use mqtt::PacketId;
use tokio::time::{Instant, sleep_until};

/// What is to be acknowledged, in the order it came, each after the same delay.
pub(super) struct Acknowledgements {
    /// `None`: nothing is acknowledged.
    delay: Option<Duration>,
    waiting: VecDeque<(Instant, PacketId)>,
}

impl Acknowledgements {
    pub(super) fn new(delay: Option<Duration>) -> Self {
        Self { delay, waiting: VecDeque::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// A message arrived that wants an acknowledgement.
    pub(super) fn push(&mut self, packet_id: PacketId, arrived: Instant) {
        if let Some(delay) = self.delay {
            self.waiting.push_back((arrived + delay, packet_id));
        }
    }

    /// Waits until the next acknowledgement is due; for ever if there is none. May be dropped
    /// without loss.
    pub(super) async fn due(&mut self) -> PacketId {
        match self.waiting.front() {
            Some((at, _)) => sleep_until(*at).await,
            None => std::future::pending().await,
        }
        let (_, packet_id) = self.waiting.pop_front().expect("the front was just looked at");
        packet_id
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    const DELAY: Duration = Duration::from_millis(30);

    fn id(number: u16) -> PacketId {
        PacketId::new(number).unwrap()
    }

    #[tokio::test]
    async fn acknowledgements_are_due_in_order_after_their_delay() {
        let start = Instant::now();
        let mut pending = Acknowledgements::new(Some(DELAY));
        pending.push(id(1), start);
        pending.push(id(2), start + DELAY);
        assert_eq!(pending.due().await, id(1));
        assert!(start.elapsed() >= DELAY);
        assert_eq!(pending.due().await, id(2));
        assert!(start.elapsed() >= 2 * DELAY);
        assert!(pending.is_empty());
    }

    #[tokio::test]
    async fn a_device_that_does_not_acknowledge_has_nothing_due() {
        let mut pending = Acknowledgements::new(None);
        pending.push(id(1), Instant::now());
        assert!(pending.is_empty());
        assert!(timeout(DELAY, pending.due()).await.is_err());
    }

    #[tokio::test]
    async fn waiting_may_be_interrupted_without_loss() {
        let mut pending = Acknowledgements::new(Some(DELAY));
        pending.push(id(1), Instant::now());
        assert!(timeout(Duration::from_millis(1), pending.due()).await.is_err());
        assert_eq!(pending.due().await, id(1));
    }
}
