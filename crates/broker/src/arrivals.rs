//! Who waits for a device to connect.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
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

    /// Tells everybody that nobody comes any more.
    fn end(&self) {
        let all = std::mem::take(&mut self.waiting.lock().by_client);
        for (_, then) in all.into_values().flatten() {
            self.count.fetch_sub(1, Ordering::SeqCst);
            then(false);
        }
    }

    /// Tells everybody who waits for the device. Called after it can be sent to, with no lock held.
    fn arrived(&self, client_id: &ClientId) {
        let there = self.waiting.lock().by_client.remove(client_id).unwrap_or_default();
        self.count.fetch_sub(there.len(), Ordering::SeqCst);
        there.into_iter().for_each(|(_, then)| then(true));
    }
}

/// A wait for a device that can be given up.
pub struct Awaited {
    node: Weak<Node>,
    client_id: ClientId,
    number: u64,
}

impl Awaited {
    /// Waits no longer: whoever waited is never called. False if it was called before, or is just
    /// being called.
    pub fn give_up(&self) -> bool {
        self.node
            .upgrade()
            .is_some_and(|node| node.arrivals.take(&self.client_id, self.number).is_some())
    }
}

impl fmt::Debug for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Awaited").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

impl Node {
    /// Calls `then` once: with true when the device is connected, at once if it is already, and with
    /// false when it did not come in time, or cannot because the node drains. It must not wait.
    pub fn when_connected(
        self: &Arc<Self>,
        client_id: &ClientId,
        within: Duration,
        then: impl FnOnce(bool) + Send + 'static,
    ) -> Awaited {
        let number = self.arrivals.add(client_id, Box::new(then));
        let awaited = Awaited { node: Arc::downgrade(self), client_id: client_id.clone(), number };
        // It may have come, or the drain begun, just before.
        let came = self.is_reachable(client_id);
        if came || self.is_draining() {
            if let Some(then) = self.arrivals.take(client_id, number) {
                then(came);
            }
            return awaited;
        }
        let (node, client_id) = (Arc::downgrade(self), client_id.clone());
        self.runtime.spawn(async move {
            tokio::time::sleep(within).await;
            let Some(node) = node.upgrade() else { return };
            if let Some(then) = node.arrivals.take(&client_id, number) {
                then(false);
            }
        });
        awaited
    }

    /// Tells whoever waits for a device that none comes any more: a node that drains lets none in.
    pub(crate) fn end_arrivals(&self) {
        self.arrivals.end();
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
