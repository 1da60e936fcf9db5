//! Direct messages: from a permit to the device's socket, and back with its PUBACK.

use std::sync::Arc;

use engine::Moment;
use engine::access::SendPermit;
use engine::close::CloseReason;
use engine::direct::{DirectMessage, Settlement};
use engine::outcome::DirectOutcome;
use mqtt::ClientId;
use tokio::sync::oneshot;

use crate::node::Node;

/// A direct message that was handed to a connection.
#[derive(Debug)]
pub struct Dispatched {
    /// The epoch of the connection.
    pub epoch: u64,
    /// When it was handed over.
    pub at: Moment,
    /// What to wait for, if a confirmation was asked for.
    pub confirmation: Option<Confirmation>,
}

/// A confirmation to wait for. Dropping it gives the wait up; the packet ID stays taken until the
/// PUBACK.
#[derive(Debug)]
pub struct Confirmation(oneshot::Receiver<Settlement>);

impl Confirmation {
    /// Waits until the delivery settles: by the PUBACK, its deadline or the end of the connection.
    /// The moment is that of the PUBACK.
    pub async fn settled(self) -> (DirectOutcome, Option<Moment>) {
        match self.0.await {
            Ok(Settlement::Acknowledged { at }) => (DirectOutcome::Acknowledged, Some(at)),
            Ok(Settlement::Rejected { code, at }) => {
                (DirectOutcome::ReceiverRejected(code), Some(at))
            }
            Ok(Settlement::TimedOut) => (DirectOutcome::ConfirmationTimeout, None),
            Err(_) => (DirectOutcome::ReceiverDisconnected, None),
        }
    }
}

impl Node {
    /// Hands a direct message to the device's connection, on the caller's thread: checks in the
    /// order of spec 1.5 from the account's rate on, then one write to the socket.
    ///
    /// # Errors
    /// The outcome, with nothing sent; and the epoch of the connection that refused, if there was
    /// one.
    pub fn send_direct(
        self: &Arc<Self>,
        _permit: SendPermit,
        client_id: &ClientId,
        message: &DirectMessage<'_>,
    ) -> Result<Dispatched, (DirectOutcome, Option<u64>)> {
        let now = self.now();
        if self.budgets.direct.take(self.rules.quotas.send_direct_message, now).is_err() {
            return Err((DirectOutcome::AccountThrottled, None));
        }
        let Some(device) = self.devices.get(client_id.as_str()) else {
            return Err((DirectOutcome::TargetNotFound, None));
        };
        let mut state = device.lock();
        let epoch = state.epoch;
        let known = state.has_session(now);
        let Some(connection) = &mut state.connection else {
            let outcome = if known {
                DirectOutcome::TargetNotConnected
            } else {
                DirectOutcome::TargetNotFound
            };
            return Err((outcome, None));
        };
        let peer = Arc::clone(&connection.peer);
        let Ok(permit) = self.access.receive(&peer, message.topic, now) else {
            return Err((DirectOutcome::ReceiverUnauthorized, Some(epoch)));
        };
        let mut confirmation = None;
        let waiter = || {
            let (settle, settled) = oneshot::channel();
            confirmation = Some(Confirmation(settled));
            settle
        };
        let (session, out) = connection.session_and_output();
        session
            .send_direct(message, permit, waiter, now, out)
            .map_err(|outcome| (outcome, Some(epoch)))?;
        let written = connection.write_now(now, self.rules.quotas.throughput_per_connection);
        self.schedule(&device, &mut state, now);
        drop(state);
        match written {
            Ok(bytes) => self.telemetry.metrics().mqtt_sent(bytes),
            Err(_) => {
                self.close(&device, epoch, CloseReason::ConnectionLost);
                return Err((DirectOutcome::ReceiverNotWritable, Some(epoch)));
            }
        }
        Ok(Dispatched { epoch, at: self.now(), confirmation })
    }
}
