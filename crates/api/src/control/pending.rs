//! A request whose change is on its way to the disk.

use std::sync::Arc;

use serde_json::Value;

use super::ledger::Ledger;
use super::refused::Refused;
use super::registrar::{Made, Registrar};
use crate::reply::Reply;

/// A request whose change is made, and which is answered once that is durable.
pub struct Pending {
    registrar: Arc<Registrar>,
    ledger: Ledger,
    made: Made<Value>,
}

impl Pending {
    pub(super) fn new(registrar: Arc<Registrar>, ledger: Ledger, made: Made<Value>) -> Self {
        Pending { registrar, ledger, made }
    }

    /// Calls `then` with the answer as soon as there is one: at once, or on the journal's thread,
    /// where it must not wait. The log entry is written whether anybody is left to be answered or
    /// not.
    pub fn when_answered(self, then: impl FnOnce(Reply) + Send + 'static) {
        let Pending { registrar, ledger, made: Made { told, ended, ticket } } = self;
        ledger.node().dismiss(ended);
        registrar.when_kept(ticket, move |kept| {
            then(ledger.settle(kept.map(|()| told).map_err(|_| Refused::NotKept)));
        });
    }
}
