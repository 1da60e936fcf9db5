//! What outlives the process: the store, opened.

use std::sync::Arc;

use broker::Storage;
use engine::limits::Bounds;
use store::{Durability, Journal, JournalEvent, Records, StoreError, Trail};
use store_embedded::{Embedded, TrailSettings};
use telemetry::{Telemetry, event};

use crate::config;

/// That a message was sent, and how it ended.
const ENTRIES_PER_MESSAGE: usize = 2;

/// The store, opened.
pub(super) struct Opened {
    /// For the node.
    pub(super) storage: Storage,
    embedded: Arc<Embedded>,
    durability: Durability,
}

/// Opens the store that the configuration names; none if nothing is to be kept.
///
/// # Errors
/// It cannot be used: one sentence says why and what to do.
pub(super) fn open(
    config: &config::Storage,
    telemetry: &Arc<Telemetry>,
) -> Result<Option<Opened>, StoreError> {
    if config.durability == Durability::Memory {
        return Ok(None);
    }
    let embedded = Arc::new(Embedded::open(&config.folder)?);
    let records: Arc<dyn Records> = Arc::clone(&embedded) as _;
    let observer = observer(Arc::clone(telemetry));
    let journal = Journal::start(Arc::clone(&records), config.durability, observer)
        .map_err(|error| StoreError::io("starting a thread for", &config.folder, &error))?;
    let storage = Storage { records, journal };
    Ok(Some(Opened { storage, embedded, durability: config.durability }))
}

/// Where the outcomes of messages are kept.
pub(super) struct Outcomes {
    embedded: Arc<Embedded>,
    settings: TrailSettings,
}

impl Opened {
    /// The two parts: the node's, and that for outcomes, which are kept as `bounds` has it.
    pub(super) fn split(self, bounds: &Bounds, telemetry: &Arc<Telemetry>) -> (Storage, Outcomes) {
        let telemetry = Arc::clone(telemetry);
        let settings = TrailSettings {
            durability: self.durability,
            life: bounds.receipt_life,
            most: bounds.receipts.saturating_mul(ENTRIES_PER_MESSAGE),
            failed: Box::new(move |error| {
                eprintln!("tenfour: outcomes of messages do not survive a restart: {error}");
                let sentence = &error.to_string();
                telemetry.record(&event::Server::OutcomesNotKept { sentence });
            }),
        };
        (self.storage, Outcomes { embedded: self.embedded, settings })
    }
}

impl Outcomes {
    /// Visits what an earlier process kept, and goes on to keep.
    pub(super) fn open(self, visit: &mut dyn FnMut(&[u8])) -> Result<Arc<dyn Trail>, StoreError> {
        Ok(Arc::new(self.embedded.open_trail(self.settings, visit)?))
    }
}

fn observer(telemetry: Arc<Telemetry>) -> Box<dyn Fn(JournalEvent) + Send + Sync> {
    Box::new(move |event| match event {
        JournalEvent::Failed { sentence } => {
            eprintln!("tenfour: nothing more can be kept: {sentence}");
            telemetry.record(&event::Server::StoreFailed { sentence: &sentence });
        }
        JournalEvent::Committed { .. } | JournalEvent::Synced { .. } => {}
    })
}
