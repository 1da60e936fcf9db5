//! Who waits for a device to connect.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use foldhash::fast::RandomState;
use mqtt::ClientId;
use parking_lot::Mutex;

use crate::device::Device;
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
    fn arrived(&self, client_id: &ClientId) {
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
        if self.is_reachable(client_id) {
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

    /// Tells whoever waits for a device that it can be sent to, if that is so now.
    pub(crate) fn announce(&self, device: &Device) {
        if self.arrivals.count.load(Ordering::SeqCst) > 0 && is_reachable(device) {
            self.arrivals.arrived(&device.client_id);
        }
    }

    fn is_reachable(&self, client_id: &ClientId) -> bool {
        self.devices.get(client_id.as_str()).is_some_and(|device| is_reachable(&device))
    }
}

/// Whether a message can be handed to the device: it knows that it is connected.
fn is_reachable(device: &Device) -> bool {
    device.lock().connection.as_ref().is_some_and(|open| !open.session.is_opening())
}
