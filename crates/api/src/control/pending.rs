//! A request that is answered later: its change is on its way to the disk, or yet to be made.

use std::sync::Arc;

use serde_json::Value;

use super::ledger::Ledger;
use super::refused::Refused;
use super::registrar::{Made, Registrar};
use super::workshop::Workshop;
use crate::reply::Reply;

/// A request that is answered once what it changed is durable.
pub struct Pending {
    registrar: Arc<Registrar>,
    ledger: Ledger,
    progress: Progress,
}

/// What takes long and ends with a change.
pub(super) type Work = Box<dyn FnOnce(&Registrar) -> Result<Made<Value>, Refused> + Send>;

/// How far it is.
pub(super) enum Progress {
    /// The change is made.
    Made(Made<Value>),
    /// It is yet to be made, elsewhere.
    Ahead(Work, Arc<Workshop>),
}

impl Pending {
    pub(super) fn new(registrar: Arc<Registrar>, ledger: Ledger, progress: Progress) -> Self {
        Pending { registrar, ledger, progress }
    }

    /// Calls `then` with the answer as soon as there is one: at once, or on another thread, where it
    /// must not wait. The log entry is written whether anybody is left to be answered or not.
    pub fn when_answered(self, then: impl FnOnce(Reply) + Send + 'static) {
        let Pending { registrar, ledger, progress } = self;
        match progress {
            Progress::Made(made) => settle_when_kept(&registrar, ledger, made, then),
            Progress::Ahead(work, workshop) => {
                let order = Arc::new(parking_lot::Mutex::new(Some((ledger, then))));
                let taken = Arc::clone(&order);
                let taken_on = workshop.take_on(move || {
                    let made = work(&registrar);
                    let Some((ledger, then)) = taken.lock().take() else { return };
                    match made {
                        Ok(made) => settle_when_kept(&registrar, ledger, made, then),
                        Err(refused) => then(ledger.settle(Err(refused))),
                    }
                });
                if taken_on.is_err()
                    && let Some((ledger, then)) = order.lock().take()
                {
                    then(ledger.settle(Err(Refused::Busy)));
                }
            }
        }
    }
}

fn settle_when_kept(
    registrar: &Registrar,
    ledger: Ledger,
    made: Made<Value>,
    then: impl FnOnce(Reply) + Send + 'static,
) {
    let Made { told, ended, ticket } = made;
    ledger.node().dismiss(ended);
    registrar.when_kept(ticket, move |kept| {
        then(ledger.settle(kept.map(|()| told).map_err(|_| Refused::NotKept)));
    });
}
