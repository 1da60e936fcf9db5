//! What would become of a direct message: the checks of [`Node::send_direct`], and nothing sent.

use std::sync::Arc;

use engine::Moment;
use engine::access::{Peer, SendPermit};
use engine::direct::{DirectMessage, Prospect};
use engine::outcome::DirectOutcome;
use engine::rate::Bucket;
use mqtt::ClientId;

use crate::device::State;
use crate::node::Node;

/// What would become of a direct message at one moment.
#[derive(Debug)]
pub struct DryRun {
    /// How it would end at once; [`DirectOutcome::Dispatched`] if it would be written, whether a
    /// confirmation was asked for or not.
    pub outcome: DirectOutcome,
    /// Whether the device has a session that outlives its connection.
    pub persistent: bool,
    /// The device's connection, if it has one.
    pub receiver: Option<Receiver>,
}

/// The connection that would get the message.
#[derive(Debug)]
pub struct Receiver {
    /// Whose it is.
    pub peer: Arc<Peer>,
    /// Its epoch.
    pub epoch: u64,
    /// Whether the device's policies let it receive the topic.
    pub allowed: bool,
    /// Whether it waits for its CONNACK; then it counts as not connected.
    pub opening: bool,
    /// Whether its socket took all that was written to it, as far as is known.
    pub writable: bool,
    /// What its session has to do with the message.
    pub prospect: Prospect,
}

impl Node {
    /// Says what [`Node::send_direct`] would do at this moment, and does nothing: no budget is drawn
    /// from, no packet ID taken, no byte written.
    pub fn dry_run_direct(
        &self,
        _permit: &SendPermit,
        client_id: &ClientId,
        message: &DirectMessage<'_>,
    ) -> DryRun {
        let now = self.now();
        let admitted = self.check_account_rate(Bucket::look, now);
        let Some(device) = self.devices.get(client_id.as_str()) else {
            let outcome = admitted.err().unwrap_or(DirectOutcome::TargetNotFound);
            return DryRun { outcome, persistent: false, receiver: None };
        };
        let mut state = device.lock();
        let refused = admitted.and_then(|()| self.check_receiver(&mut state, message, now)).err();
        let kept = state.connection.is_some() && state.session.is_persistent();
        DryRun {
            outcome: refused.unwrap_or(DirectOutcome::Dispatched),
            persistent: kept || state.has_session(now),
            receiver: state.connection.as_ref().map(|connection| Receiver {
                peer: Arc::clone(&connection.peer),
                epoch: connection.epoch,
                allowed: self.access.receive(&connection.peer, message.topic, now).is_ok(),
                opening: connection.session.is_opening(),
                writable: !connection.is_blocked(now),
                prospect: connection.session.prospect(message),
            }),
        }
    }

    fn check_receiver(
        &self,
        state: &mut State,
        message: &DirectMessage<'_>,
        now: Moment,
    ) -> Result<(), DirectOutcome> {
        let (connection, permit) =
            self.receiver(state, message.topic, now).map_err(|settled| settled.outcome)?;
        let pending = connection.pending_output();
        connection.session.would_send_direct(message, &permit, now, pending)?;
        match message.is_now_or_never() && connection.is_blocked(now) {
            true => Err(DirectOutcome::ReceiverNotWritable),
            false => Ok(()),
        }
    }

    /// Who is behind the connection of that epoch, if the device still has it.
    pub fn peer_of(&self, client_id: &str, epoch: u64) -> Option<Arc<Peer>> {
        let device = self.devices.get(client_id)?;
        let mut state = device.lock();
        state.current(epoch).map(|connection| Arc::clone(&connection.peer))
    }
}
