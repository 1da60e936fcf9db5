//! Shutting down: no new connections, deliveries settle, everybody is told.

use std::sync::Arc;
use std::time::Duration;

use engine::close::CloseReason;

use crate::node::Node;

impl Node {
    /// Takes nothing new, lets deliveries in flight settle for at most `patience`, then closes
    /// every connection (MQTT 5: DISCONNECT 0x8B) and waits until their last bytes are written and
    /// their Wills and the answers of shadows published,
    /// but no longer than farewells may take.
    pub async fn drain(self: &Arc<Self>, patience: Duration) {
        self.start_draining();
        self.end_arrivals();
        let settled = async {
            while self.has_deliveries() || self.responses.is_waiting() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        // What has not settled by then is told that its connection ended.
        let _ = tokio::time::timeout(patience, settled).await;
        self.responses.give_up();
        let mut closed = 0_usize;
        let mut devices = Vec::new();
        self.devices.each(|device| devices.push(device));
        for device in devices {
            let epoch = device.lock().epoch;
            self.close(&device, epoch, CloseReason::ServerShutdown);
            closed += 1;
            if closed.is_multiple_of(256) {
                tokio::task::yield_now().await;
            }
        }
        let written = async {
            while self.farewells() + self.unpublished_wills() + self.shadows.unanswered() > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        // Farewells have a bound of their own.
        let _ = tokio::time::timeout(crate::FAREWELL, written).await;
    }

    fn has_deliveries(&self) -> bool {
        let mut waiting = false;
        self.devices.each(|device| {
            let state = device.lock();
            let waits = state.connection.as_ref().is_some_and(|open| open.session.has_waiters());
            waiting |= waits;
        });
        waiting
    }
}
