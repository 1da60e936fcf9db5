//! Who waits for a device to connect.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use foldhash::fast::RandomState;
use mqtt::ClientId;
use parking_lot::Mutex;

use crate::node::Node;

/// Called once: with whether the device came.
type Then = Box<dyn FnOnce(bool) + Send>;

/// Everybody who waits, by client ID.
#[derive(Default)]
pub(crate) struct Arrivals {
    waiting: Mutex<Waiting>,
    /// How many there are, so that a connection costs nothing while nobody waits.
    count: AtomicUsize,
}

#[derive(Default)]
struct Waiting {
    by_client: HashMap<ClientId, Vec<(u64, Then)>, RandomState>,
    last: u64,
}

impl Arrivals {
    fn add(&self, client_id: &ClientId, then: Then) -> u64 {
        let mut waiting = self.waiting.lock();
        waiting.last += 1;
        let number = waiting.last;
        waiting.by_client.entry(client_id.clone()).or_default().push((number, then));
        self.count.fetch_add(1, Ordering::SeqCst);
        number
    }

    fn take(&self, client_id: &ClientId, number: u64) -> Option<Then> {
        let mut waiting = self.waiting.lock();
        let there = waiting.by_client.get_mut(client_id)?;
        let at = there.iter().position(|(present, _)| *present == number)?;
        let (_, then) = there.swap_remove(at);
        if there.is_empty() {
            waiting.by_client.remove(client_id);
        }
        self.count.fetch_sub(1, Ordering::SeqCst);
        Some(then)
    }

    /// Tells everybody who waits for the device. Called after it can be sent to, with no lock held.
    pub(crate) fn arrived(&self, client_id: &ClientId) {
        if self.count.load(Ordering::SeqCst) == 0 {
            return;
        }
        let there = self.waiting.lock().by_client.remove(client_id).unwrap_or_default();
        self.count.fetch_sub(there.len(), Ordering::SeqCst);
        there.into_iter().for_each(|(_, then)| then(true));
    }
}

impl Node {
    /// Calls `then` once: with true when the device is connected, at once if it is already, and with
    /// false when it did not come in time. It must not wait.
    pub fn when_connected(
        self: &Arc<Self>,
        client_id: &ClientId,
        within: Duration,
        then: impl FnOnce(bool) + Send + 'static,
    ) {
        let number = self.arrivals.add(client_id, Box::new(then));
        // It may have come just before.
        if self.is_connected(client_id) {
            if let Some(then) = self.arrivals.take(client_id, number) {
                then(true);
            }
            return;
        }
        let (node, client_id) = (Arc::downgrade(self), client_id.clone());
        self.runtime.spawn(async move {
            tokio::time::sleep(within).await;
            let Some(node) = node.upgrade() else { return };
            if let Some(then) = node.arrivals.take(&client_id, number) {
                then(false);
            }
        });
    }

    /// Whether the device is connected.
    pub fn is_connected(&self, client_id: &ClientId) -> bool {
        let device = self.devices.get(client_id.as_str());
        device.is_some_and(|device| device.lock().connection.is_some())
    }
}
