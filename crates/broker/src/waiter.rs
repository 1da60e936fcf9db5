//! Who waits for a confirmed delivery, and how they are told.

use engine::Moment;
use engine::direct::Settlement;
use engine::outcome::DirectOutcome;
use tokio::sync::oneshot;

/// How a direct message ended.
#[derive(Debug)]
pub struct Settled {
    /// How it ended.
    pub outcome: DirectOutcome,
    /// The epoch of the connection, if there was one.
    pub epoch: Option<u64>,
    /// When it was handed to the connection; none if it never was.
    pub handed_over: Option<Moment>,
    /// When the PUBACK came, if one did.
    pub acknowledged: Option<Moment>,
}

impl Settled {
    /// The end of a message that was never handed to a connection; `epoch` is that of the
    /// connection that refused it, if there was one.
    pub fn refused(outcome: DirectOutcome, epoch: Option<u64>) -> Self {
        Settled { outcome, epoch, handed_over: None, acknowledged: None }
    }
}

/// Somebody to tell. Called on the thread that learnt of the end, with no lock of the node held;
/// it must not wait.
pub trait Settle: Send {
    /// Takes the news.
    fn settle(self: Box<Self>, settled: Settled);
}

/// Waits in the device's in-flight window. Dropped unsettled, it says that the connection ended.
pub struct Waiter {
    settle: Option<Box<dyn Settle>>,
    epoch: u64,
    handed_over: Moment,
}

impl std::fmt::Debug for Waiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waiter").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

impl Waiter {
    /// For whoever is to be told.
    pub fn new(settle: Box<dyn Settle>) -> Self {
        Waiter { settle: Some(settle), epoch: 0, handed_over: Moment::START }
    }

    /// Takes down which connection has the message, and since when.
    pub(crate) fn handed_over(&mut self, epoch: u64, at: Moment) {
        self.epoch = epoch;
        self.handed_over = at;
    }

    /// Nobody is to be told any more.
    pub(crate) fn disarm(&mut self) {
        self.settle = None;
    }

    /// Tells how it ended. The device's lock must not be held.
    pub(crate) fn settle(mut self, settlement: Settlement) {
        let (outcome, acknowledged) = match settlement {
            Settlement::Acknowledged { at } => (DirectOutcome::Acknowledged, Some(at)),
            Settlement::Rejected { code, at } => (DirectOutcome::ReceiverRejected(code), Some(at)),
            Settlement::TimedOut => (DirectOutcome::ConfirmationTimeout, None),
        };
        self.tell(outcome, acknowledged);
    }

    fn tell(&mut self, outcome: DirectOutcome, acknowledged: Option<Moment>) {
        let Waiter { settle, epoch, handed_over } = self;
        if let Some(settle) = settle.take() {
            let (epoch, handed_over) = (*epoch, *handed_over);
            settle.settle(Settled {
                outcome,
                epoch: Some(epoch),
                handed_over: Some(handed_over),
                acknowledged,
            });
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.tell(DirectOutcome::ReceiverDisconnected, None);
    }
}

/// A confirmation to wait for in a task. Dropping it gives the wait up; the packet ID stays taken
/// until the PUBACK.
#[derive(Debug)]
pub struct Confirmation(oneshot::Receiver<Settled>);

impl Confirmation {
    /// The two ends of a wait.
    pub fn channel() -> (Waiter, Confirmation) {
        let (sender, receiver) = oneshot::channel();
        (Waiter::new(Box::new(Channel(sender))), Confirmation(receiver))
    }

    /// Waits until the delivery settles: by the PUBACK, its deadline or the end of the connection.
    /// None when it was never handed to a connection.
    pub async fn settled(self) -> Option<Settled> {
        self.0.await.ok()
    }
}

struct Channel(oneshot::Sender<Settled>);

impl Settle for Channel {
    fn settle(self: Box<Self>, settled: Settled) {
        // Whoever waited may have gone away; then nobody is left to tell.
        let _ = self.0.send(settled);
    }
}
