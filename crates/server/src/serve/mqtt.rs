//! MQTT on a wire whose principal is known.

use std::sync::Arc;

use broker::{Entrance, Serving};
use engine::directory::Principal;
use reactor::{Next, Task, Turn};

use super::listen::Visit;
use super::occupancy::Presence;
use super::wire::Wire;

/// A device's connection, counted while it is open.
struct Device {
    serving: Serving,
    _presence: Presence,
}

impl Task for Device {
    fn run(&mut self, turn: &mut Turn<'_, '_>) -> Next {
        self.serving.run(turn)
    }
}

/// The task of a connection.
pub(super) fn task(
    wire: Wire,
    principal: Arc<Principal>,
    secure: bool,
    visit: Visit,
) -> Box<dyn Task> {
    let node = Arc::clone(visit.doors.api.node());
    let entrance = Entrance { principal, source: visit.source, secure, life: None };
    let serving = match wire {
        // Without the layer that tells TLS from plain, which every idle connection would pay for.
        Wire::Plain(stream) => Serving::new(node, Box::new(stream), entrance),
        wire @ Wire::Tls(_) => Serving::new(node, Box::new(wire), entrance),
    };
    Box::new(Device { serving, _presence: visit.presence })
}
