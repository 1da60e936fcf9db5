//! Direct messages that wait until the account's rate lets them go.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Mutex;

use crate::node::Node;

/// The shortest pause between two looks at the rate: others may be faster.
const PAUSE: Duration = Duration::from_millis(1);

/// Whose turn it is, in the order in which they came: only one looks at the rate.
#[derive(Default)]
pub(crate) struct RateQueue(Arc<Mutex<()>>);

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// There was no rate for it after all.
    NoRate,
    /// No other is needed.
    Done,
}

impl Node {
    /// Calls `attempt` with true each time that the account's rate of direct messages may let one
    /// more go and half the burst is left to others, until it is done; after that time for the last
    /// time, with false. Nobody else's attempts come before it but those of who waited before. It
    /// must not wait.
    pub fn when_rate_allows(
        self: &Arc<Self>,
        within: Duration,
        mut attempt: impl FnMut(bool) -> Attempt + Send + 'static,
    ) {
        let (node, queue) = (Arc::downgrade(self), Arc::clone(&self.rate_queue.0));
        self.runtime.spawn(async move {
            let trying = async {
                let _turn = queue.lock().await;
                until_done(&node, &mut attempt).await;
            };
            if tokio::time::timeout(within, trying).await.is_err() {
                attempt(false);
            }
        });
    }
}

/// Attempts until it is done, or the node is gone.
async fn until_done(node: &Weak<Node>, attempt: &mut impl FnMut(bool) -> Attempt) {
    loop {
        let Some(pause) = node.upgrade().map(|node| node.pace_of_many()) else { return };
        if pause.is_zero() && attempt(true) == Attempt::Done {
            return;
        }
        tokio::time::sleep(pause.max(PAUSE)).await;
    }
}
