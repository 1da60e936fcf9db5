//! The connection of a client, or its session, is ended by somebody else (spec 2.1).

use std::sync::Arc;

use engine::access::DeleteConnectionPermit;
use engine::close::CloseReason;
use engine::{Moment, Ticket};
use mqtt::ClientId;
use parking_lot::MutexGuard;

use crate::device::{Device, State};
use crate::leave::Leave;
use crate::named_clients::ClientRefused;
use crate::node::Node;
use crate::publish::Durable;

/// What else is to become of a client whose connection is ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deletion {
    /// Whether its session ends: its subscriptions and messages are forgotten.
    pub clean_session: bool,
    /// Whether its Will is not published, one that waits for its delay included.
    pub prevent_will: bool,
}

impl Node {
    /// Ends the connection that the client has at this moment, or deals with its session if it has
    /// none. Its Will goes out, unless that is prevented, as when the connection is lost; at once if
    /// the session ends. [`Node::when_durable`] tells when a session that ends is sure to be gone.
    ///
    /// # Errors
    /// [`ClientRefused`], with nothing done.
    pub fn delete_connection(
        self: &Arc<Self>,
        _permit: DeleteConnectionPermit,
        client_id: &ClientId,
        deletion: Deletion,
    ) -> Result<Durable, ClientRefused> {
        let (now, rates) = (self.now(), self.rules.quotas.delete_connection);
        self.named_clients.delete_connection.take(rates, client_id, now)?;
        let device = self.devices.get(client_id.as_str()).ok_or(ClientRefused::Unknown)?;
        let state = device.lock();
        let durable = if state.connection.is_some() {
            self.delete_present(&device, state, deletion, now)
        } else if state.has_session(now) {
            self.delete_session(&device, state, deletion, now)
        } else {
            return Err(ClientRefused::Unknown);
        };
        Ok(Durable(durable))
    }

    /// Whoever connects from now on is not met: the present connection is taken out under the lock.
    fn delete_present(
        self: &Arc<Self>,
        device: &Arc<Device>,
        mut state: MutexGuard<'_, State>,
        deletion: Deletion,
        now: Moment,
    ) -> Ticket {
        let Some(mut connection) = state.connection.take() else { return Ticket::NONE };
        let reason = CloseReason::Deleted;
        let leave =
            Leave { reason, end_session: deletion.clean_session, will: !deletion.prevent_will };
        let left = self.leave(device, &mut state, &mut connection, leave, now);
        drop(state);
        self.finish(device, connection, reason, left.ending);
        left.durable
    }

    /// The client is not connected, so there is only what it left.
    fn delete_session(
        self: &Arc<Self>,
        device: &Arc<Device>,
        mut state: MutexGuard<'_, State>,
        deletion: Deletion,
        now: Moment,
    ) -> Ticket {
        // A crash leaves no Will behind that was prevented together with its session.
        let together = self.keeper.together();
        let mut durable = Ticket::NONE;
        if deletion.prevent_will && state.session.will.take().is_some() {
            durable = self.keeper.forget_will(&device.client_id);
        }
        let mut will = None;
        if deletion.clean_session {
            let memory = state.session.memory.take();
            let forgotten = self.forget_session(device, &mut state.session, memory.as_deref());
            durable = durable.max(forgotten);
            state.session.ends = None;
            will = state.session.will.take();
        }
        drop(together);
        self.schedule(device, &mut state, now);
        drop(state);
        if let Some((will, _)) = will {
            self.publish_will(device, will, true);
        }
        self.forget(device, now);
        durable
    }
}
