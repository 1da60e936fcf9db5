//! Ending the connections of those who are not in use any more.

use std::collections::HashSet;
use std::sync::{Arc, Weak};

use engine::close::CloseReason;
use engine::directory::{Principal, Status};
use tokio::sync::mpsc;

use crate::device::Device;
use crate::node::Node;

/// The most principals that are dealt with at once.
const AT_ONCE: usize = 65_536;

/// Where those are handed over whose connections have to end. Connections are not listed by
/// principal, which would cost each of them; instead all are looked at, once for all principals that
/// are known by then.
pub(crate) struct Dismissals(mpsc::UnboundedSender<Arc<Principal>>);

impl Dismissals {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Arc<Principal>>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Dismissals(sender), receiver)
    }
}

impl Node {
    /// Ends the connections of principals whose status is not [`Status::Active`] any more, soon and
    /// elsewhere.
    pub fn dismiss(&self, principals: Vec<Arc<Principal>>) {
        for principal in principals {
            // Without its task the node is about to go, and every connection with it.
            let _ = self.dismissals.0.send(principal);
        }
    }

    /// Ends the connection of that epoch if its principal is not in use: it may have come in while
    /// the others of the principal were ended.
    pub(crate) fn dismiss_late(self: &Arc<Self>, device: &Arc<Device>, epoch: u64) {
        let status = {
            let mut state = device.lock();
            let Some(connection) = state.current(epoch) else { return };
            connection.peer.principal.grants.load().status
        };
        if status != Status::Active {
            self.close(device, epoch, CloseReason::NotInUse(status));
        }
    }

    fn dismiss_from(self: &Arc<Self>, device: &Arc<Device>, dismissed: &HashSet<usize>) {
        let epoch = {
            let state = device.lock();
            let Some(connection) = &state.connection else { return };
            if !dismissed.contains(&address(&connection.peer.principal)) {
                return;
            }
            state.epoch
        };
        self.dismiss_late(device, epoch);
    }
}

/// Ends connections until the node is gone.
pub(crate) async fn run(node: Weak<Node>, mut handed: mpsc::UnboundedReceiver<Arc<Principal>>) {
    let mut principals = Vec::new();
    while handed.recv_many(&mut principals, AT_ONCE).await > 0 {
        let Some(node) = node.upgrade() else { return };
        let dismissed: HashSet<usize> = principals.iter().map(address).collect();
        for devices in node.devices.parts() {
            devices.iter().for_each(|device| node.dismiss_from(device, &dismissed));
            tokio::task::yield_now().await;
        }
        principals.clear();
    }
}

/// What tells a principal from every other as long as both are there.
fn address(principal: &Arc<Principal>) -> usize {
    Arc::as_ptr(principal).addr()
}
