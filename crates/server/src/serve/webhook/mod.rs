//! Receipts posted to a server of the operator's: signed, tried again, and bounded, so that a receiver
//! that is slow or dead disturbs nobody.

mod courier;
mod queue;
mod signature;

use std::sync::Arc;

use api::ReceiptListener;
use telemetry::Telemetry;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use self::courier::Courier;
use self::queue::Queue;
use crate::config;

/// A webhook that posts what it is told.
pub(super) struct Webhook {
    queue: Arc<Queue>,
    /// Until when what waits may be tried at the end.
    ends: oneshot::Sender<Instant>,
    courier: JoinHandle<()>,
}

impl Webhook {
    /// Starts on the present runtime; at most `most` receipts wait.
    ///
    /// # Errors
    /// The URL cannot be used.
    pub(super) fn start(
        config: config::Webhook,
        most: usize,
        telemetry: Arc<Telemetry>,
    ) -> Result<Self, client::SendError> {
        let wanted = config.events.clone();
        let (queue, letters) = Queue::new(wanted, most, Arc::clone(&telemetry));
        let (ends, end) = oneshot::channel();
        let courier = Courier::new(config, letters, Arc::clone(&queue), telemetry)?;
        let courier = tokio::spawn(courier.run(end));
        Ok(Webhook { queue, ends, courier })
    }

    /// Who is to be told of receipts.
    pub(super) fn listener(&self) -> Arc<dyn ReceiptListener> {
        Arc::clone(&self.queue) as _
    }

    /// Tries what waits once more, each receipt once and until `deadline` at most; the rest is dropped.
    pub(super) async fn finish(self, deadline: Instant) {
        // An error of either: the courier is gone, as after a 410.
        let _ = self.ends.send(deadline);
        let _ = self.courier.await;
    }
}
