//! Devices that have something to be written.

use std::sync::Arc;

use engine::close::CloseReason;

use crate::device::Device;
use crate::node::Node;

/// Devices that got bytes while others were dealt with; each is written to once at the end, however
/// many messages it got.
#[derive(Default)]
pub(crate) struct Dirty(Vec<Arc<Device>>);

impl Dirty {
    pub(crate) fn add(&mut self, device: &Arc<Device>) {
        if !self.0.last().is_some_and(|last| Arc::ptr_eq(last, device)) {
            self.0.push(Arc::clone(device));
        }
    }

    pub(crate) fn write(&mut self, node: &Arc<Node>) {
        for device in self.0.drain(..) {
            node.write_to(&device);
        }
    }
}

impl Node {
    /// Writes what waits for the device; a connection that fails is ended.
    pub(crate) fn write_to(self: &Arc<Self>, device: &Arc<Device>) {
        let now = self.now();
        let mut state = device.lock();
        let epoch = state.epoch;
        let Some(connection) = &mut state.connection else { return };
        let written = connection.write_now(now, self.rules.quotas.throughput_per_connection);
        self.schedule(device, &mut state, now);
        drop(state);
        match written {
            Ok(bytes) => self.telemetry.metrics().mqtt_sent(bytes),
            Err(_) => self.close(device, epoch, CloseReason::ConnectionLost),
        }
    }
}
