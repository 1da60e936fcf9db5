//! What outlives the process: the store, opened.

use std::sync::Arc;

use broker::Storage;
use store::{Durability, Journal, JournalEvent, Records, StoreError};
use store_embedded::Embedded;
use telemetry::{Telemetry, event};

use crate::config;

/// Opens the store that the configuration names; none if nothing is to be kept.
///
/// # Errors
/// It cannot be used: one sentence says why and what to do.
pub(super) fn open(
    config: &config::Storage,
    telemetry: &Arc<Telemetry>,
) -> Result<Option<Storage>, StoreError> {
    if config.durability == Durability::Memory {
        return Ok(None);
    }
    let records: Arc<dyn Records> = Arc::new(Embedded::open(&config.folder)?);
    let observer = observer(Arc::clone(telemetry));
    let journal = Journal::start(Arc::clone(&records), config.durability, observer)
        .map_err(|error| StoreError::io("starting a thread for", &config.folder, &error))?;
    Ok(Some(Storage { records, journal }))
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
