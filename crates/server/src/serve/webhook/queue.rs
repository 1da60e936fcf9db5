//! The receipts that wait for the webhook.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use api::{Receipt, ReceiptListener, ReceiptStatus};
use bytes::Bytes;
use telemetry::Telemetry;
use telemetry::event::{self, WebhookDrop};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use uuid::Uuid;

/// A receipt on its way.
pub(super) struct Letter {
    /// The same for all attempts, so that a receiver knows one that it has already.
    pub(super) id: String,
    pub(super) body: Bytes,
    /// How often it was tried.
    pub(super) attempts: u32,
    /// Its place among those that wait; free when it is dropped.
    _place: OwnedSemaphorePermit,
}

/// Takes receipts in, and never waits.
pub(super) struct Queue {
    wanted: Vec<ReceiptStatus>,
    /// The receiver has not said that it wants no more.
    open: AtomicBool,
    places: Arc<Semaphore>,
    most: usize,
    /// It was said that there is no place.
    full: AtomicBool,
    letters: mpsc::UnboundedSender<Letter>,
    telemetry: Arc<Telemetry>,
}

impl Queue {
    /// For receipts with these statuses, and at most so many that wait; what comes out of it.
    pub(super) fn new(
        wanted: Vec<ReceiptStatus>,
        most: usize,
        telemetry: Arc<Telemetry>,
    ) -> (Arc<Self>, mpsc::UnboundedReceiver<Letter>) {
        // Bounded by the places.
        let (letters, out) = mpsc::unbounded_channel();
        let queue = Queue {
            wanted,
            open: AtomicBool::new(true),
            places: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))),
            most,
            full: AtomicBool::new(false),
            letters,
            telemetry,
        };
        (Arc::new(queue), out)
    }

    /// Takes nothing in any more.
    pub(super) fn close(&self) {
        self.open.store(false, Ordering::Relaxed);
    }

    fn refuse(&self) {
        self.telemetry.metrics().webhook_dropped(WebhookDrop::QueueFull);
        if !self.full.swap(true, Ordering::Relaxed) {
            self.telemetry.record(&event::Webhook::QueueFull { most: self.most });
        }
    }
}

impl ReceiptListener for Queue {
    fn wants(&self, status: ReceiptStatus) -> bool {
        self.open.load(Ordering::Relaxed) && self.wanted.contains(&status)
    }

    fn hear(&self, receipt: Receipt<'_>) {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else { return self.refuse() };
        if self.places.available_permits() > self.most / 2 {
            self.full.store(false, Ordering::Relaxed);
        }
        let mut document = receipt.document.clone();
        document["principalId"] = receipt.principal_id.into();
        let letter = Letter {
            id: format!("msg_{}", Uuid::new_v4().simple()),
            body: document.to_string().into(),
            attempts: 0,
            _place: place,
        };
        if self.letters.send(letter).is_err() {
            // Nobody posts any more: the server ends.
            self.telemetry.metrics().webhook_dropped(WebhookDrop::Shutdown);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use telemetry::{Level, LogSettings, LogTarget};

    use super::*;

    fn queue(most: usize) -> (Arc<Queue>, mpsc::UnboundedReceiver<Letter>, Arc<Telemetry>) {
        let telemetry = Telemetry::start(LogSettings {
            target: LogTarget::Discard,
            level: Level::Info,
            buffer_bytes: 1 << 16,
            ring: None,
            account: "123456789012".to_owned(),
        });
        let telemetry = Arc::new(telemetry.unwrap());
        let (queue, letters) = Queue::new(vec![ReceiptStatus::Sent], most, Arc::clone(&telemetry));
        (queue, letters, telemetry)
    }

    fn hear(queue: &Queue, number: u64) {
        let document = &json!({ "number": number });
        queue.hear(Receipt { principal_id: "me", document });
    }

    fn number(letter: &Letter) -> u64 {
        let body: Value = serde_json::from_slice(&letter.body).unwrap();
        assert_eq!(body["principalId"], "me");
        body["number"].as_u64().unwrap()
    }

    #[test]
    fn beyond_its_bound_the_newest_is_dropped_and_counted() {
        let (queue, mut letters, telemetry) = queue(2);
        (0..5).for_each(|number| hear(&queue, number));
        let first = letters.try_recv().unwrap();
        hear(&queue, 5);
        drop(first);
        hear(&queue, 6);
        let rest: Vec<_> = std::iter::from_fn(|| letters.try_recv().ok()).collect();
        assert_eq!(rest.iter().map(number).collect::<Vec<_>>(), [1, 6]);
        assert_ne!(rest[0].id, rest[1].id);
        let mut page = String::new();
        telemetry.metrics().render(&[], &mut page);
        let counted = "tenfour_webhook_events_dropped_total{reason=\"queue_full\"} 4";
        assert!(page.contains(counted), "{page}");
    }

    #[test]
    fn what_is_not_asked_for_is_not_wanted_and_nothing_is_once_it_is_closed() {
        let (queue, _letters, _telemetry) = queue(2);
        assert!(queue.wants(ReceiptStatus::Sent) && !queue.wants(ReceiptStatus::Refused));
        queue.close();
        assert!(!queue.wants(ReceiptStatus::Sent));
    }
}
