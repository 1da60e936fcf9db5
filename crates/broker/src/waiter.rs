//! Who waits for a confirmed delivery, and how they are told.

use std::sync::Arc;

use engine::Moment;
use engine::close::CloseReason;
use engine::direct::Settlement;
use engine::message::Message;
use engine::outcome::DirectOutcome;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::output::Span;

/// How a direct message ended, or how it stands at its deadline.
#[derive(Clone, Debug)]
pub struct Settled {
    /// How it ended.
    pub outcome: DirectOutcome,
    /// The epoch of the connection, if there was one.
    pub epoch: Option<u64>,
    /// When it was handed to the connection; none if it never was.
    pub handed_over: Option<Moment>,
    /// When the PUBACK came, if one did.
    pub acknowledged: Option<Moment>,
    /// How far it got.
    pub wire: OnTheWire,
    /// Why its connection ended, if that is how it ended.
    pub closed: Option<CloseReason>,
    /// What the device published in answer, if its sender waited for that.
    pub response: Option<Arc<Message>>,
}

/// How far a message got on its way to the device. Never a guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnTheWire {
    /// No byte of it reached the socket, and none will.
    Never,
    /// It reached the socket, as a whole or in part.
    Sent {
        /// Whether the device's TCP has acknowledged all of it, by the kernel's counters; none
        /// where these are not known.
        tcp_acknowledged: Option<bool>,
    },
}

impl Settled {
    /// The end of a message that was never handed to a connection; `epoch` is that of the
    /// connection that refused it, if there was one.
    pub fn refused(outcome: DirectOutcome, epoch: Option<u64>) -> Self {
        Settled {
            outcome,
            epoch,
            handed_over: None,
            acknowledged: None,
            wire: OnTheWire::Never,
            closed: None,
            response: None,
        }
    }
}

/// Somebody to tell. Called on the thread that learnt of the end, with no lock of the node held;
/// it must not wait.
pub trait Settle: Send + Sync {
    /// Takes the news. After [`DirectOutcome::ConfirmationTimeout`] of a message that was sent there
    /// is more to come: how it ended at last.
    fn settle(&self, settled: Settled);
}

/// A message that was handed to a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HandedOver {
    pub(crate) epoch: u64,
    pub(crate) at: Moment,
    pub(crate) span: Span,
    /// Until when its PUBACK is waited for.
    pub(crate) until: Moment,
    /// How many bytes the transport had produced with it; none if it was not written at once.
    pub(crate) produced: Option<u64>,
}

/// Waits in the device's in-flight window. Dropped unsettled, it says that the connection ended.
pub struct Waiter {
    settle: Option<Arc<dyn Settle>>,
    handed_over: Option<HandedOver>,
    /// What is known once the connection ends.
    wire: OnTheWire,
    closed: Option<CloseReason>,
}

impl std::fmt::Debug for Waiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waiter").field("handed_over", &self.handed_over).finish_non_exhaustive()
    }
}

impl Waiter {
    /// For whoever is to be told.
    pub fn new(settle: Arc<dyn Settle>) -> Self {
        Waiter { settle: Some(settle), handed_over: None, wire: OnTheWire::Never, closed: None }
    }

    /// Takes down which connection has the message, and where.
    pub(crate) fn hand_over(&mut self, handed_over: HandedOver) {
        self.wire = OnTheWire::Sent { tcp_acknowledged: None };
        self.handed_over = Some(handed_over);
    }

    pub(crate) fn handed_over(&self) -> Option<HandedOver> {
        self.handed_over
    }

    /// Takes down how far the message got when its connection ended.
    pub(crate) fn got(&mut self, wire: OnTheWire, reason: CloseReason) {
        self.wire = wire;
        self.closed = Some(reason);
    }

    /// Nobody is to be told any more.
    pub(crate) fn disarm(&mut self) {
        self.settle = None;
    }

    /// The news that nothing came in time. If the message was sent, the waiter goes on to wait.
    pub(crate) fn time_out(&mut self, outcome: DirectOutcome, wire: OnTheWire) -> News {
        let settled = self.settled(outcome, None, wire);
        let settle = match wire {
            OnTheWire::Never => self.settle.take(),
            OnTheWire::Sent { .. } => self.settle.clone(),
        };
        News { settle, settled }
    }

    /// Tells how it ended. The device's lock must not be held.
    pub(crate) fn settle(mut self, settlement: Settlement) {
        let (outcome, acknowledged) = match settlement {
            Settlement::Acknowledged { at } => (DirectOutcome::Acknowledged, Some(at)),
            Settlement::Rejected { code, at } => (DirectOutcome::ReceiverRejected(code), Some(at)),
        };
        let wire = OnTheWire::Sent { tcp_acknowledged: Some(true) };
        let settled = self.settled(outcome, acknowledged, wire);
        News { settle: self.settle.take(), settled }.tell();
    }

    fn settled(
        &self,
        outcome: DirectOutcome,
        acknowledged: Option<Moment>,
        wire: OnTheWire,
    ) -> Settled {
        Settled {
            outcome,
            epoch: self.handed_over.map(|handed_over| handed_over.epoch),
            handed_over: self.handed_over.map(|handed_over| handed_over.at),
            acknowledged,
            wire,
            closed: self.closed,
            response: None,
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let settled = self.settled(DirectOutcome::ReceiverDisconnected, None, self.wire);
        News { settle: self.settle.take(), settled }.tell();
    }
}

/// Something to tell once no lock is held.
pub(crate) struct News {
    settle: Option<Arc<dyn Settle>>,
    settled: Settled,
}

impl News {
    /// Whether a message was written and its PUBACK did not come in time.
    pub(crate) fn is_missed_ack(&self) -> bool {
        self.settled.outcome == DirectOutcome::ConfirmationTimeout
            && self.settled.wire != OnTheWire::Never
    }

    pub(crate) fn tell(self) {
        if let Some(settle) = self.settle {
            settle.settle(self.settled);
        }
    }
}

/// A confirmation to wait for in a task. Dropping it gives the wait up; the packet ID stays taken
/// until the PUBACK.
#[derive(Debug)]
pub struct Confirmation(oneshot::Receiver<Settled>);

impl Confirmation {
    /// The two ends of a wait.
    pub fn channel() -> (Arc<dyn Settle>, Confirmation) {
        let (sender, receiver) = oneshot::channel();
        (Arc::new(Channel(Mutex::new(Some(sender)))), Confirmation(receiver))
    }

    /// Waits until the delivery settles: by the PUBACK, its deadline or the end of the connection.
    /// None when it was never handed to a connection.
    pub async fn settled(self) -> Option<Settled> {
        self.0.await.ok()
    }
}

struct Channel(Mutex<Option<oneshot::Sender<Settled>>>);

impl Settle for Channel {
    fn settle(&self, settled: Settled) {
        if let Some(sender) = self.0.lock().take() {
            // Whoever waited may have gone away; then nobody is left to tell.
            let _ = sender.send(settled);
        }
    }
}
