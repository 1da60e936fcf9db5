//! What the node keeps, in numbers.

use telemetry::Gauge;

use crate::node::Node;

impl Node {
    /// The sizes of what is kept, for the metrics.
    pub fn gauges(&self) -> [Gauge; 7] {
        let gauge = |name, help, value| Gauge { name, help, value };
        [
            gauge(
                "tenfour_queue_bytes",
                "Bytes of the messages that wait for their clients, as they are in memory.",
                self.rules.queued.bytes() as u64,
            ),
            gauge(
                "tenfour_retained_messages",
                "Retained messages.",
                self.retained.read().len() as u64,
            ),
            gauge(
                "tenfour_departures",
                "Clients of which it is known when and why their last connection ended.",
                self.departures.lock().len() as u64,
            ),
            gauge(
                "tenfour_shadows",
                "Device Shadows, those that were deleted in the last 48 hours among them.",
                self.shadows.len() as u64,
            ),
            gauge(
                "tenfour_shadow_bytes",
                "Bytes of all Device Shadows, as they are in memory.",
                self.shadows.bytes() as u64,
            ),
            gauge(
                "tenfour_store_pending_bytes",
                "Bytes that were written and are not durable yet.",
                self.keeper.pending_bytes() as u64,
            ),
            gauge(
                "tenfour_store_failed",
                "1 if nothing more can be kept until the next start.",
                u64::from(self.keeper.failure().is_some()),
            ),
        ]
    }
}
