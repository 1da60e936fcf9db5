//! MQTT on a transport whose principal is known.

use std::sync::Arc;

use broker::{Entrance, Transport};
use engine::directory::Principal;

use super::listen::Visit;

/// Serves the connection until it ends.
pub(super) async fn serve(
    io: Box<dyn Transport>,
    principal: Arc<Principal>,
    secure: bool,
    visit: &Visit,
) {
    let node = Arc::clone(visit.doors.api.node());
    let entrance = Entrance { principal, source: visit.source, secure, life: None };
    broker::serve(node, io, entrance).await;
}
