//! Follows the registry folder, and the dates of certificates, on a thread of its own, which may
//! block.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};

use api::Api;
use telemetry::{Telemetry, event};

use crate::registry::{POLL_INTERVAL, Registry, Reload};

/// The thread that looks at the registry; it ends when this is dropped.
pub(super) struct Reloader(SyncSender<()>);

impl Reloader {
    /// Starts to look every [`POLL_INTERVAL`].
    pub(super) fn spawn(mut registry: Registry, api: Arc<Api>) -> Self {
        let (look, looks) = sync_channel(1);
        std::thread::spawn(move || {
            loop {
                match looks.recv_timeout(POLL_INTERVAL) {
                    Ok(()) | Err(RecvTimeoutError::Timeout) => look_once(&mut registry, &api),
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        });
        Reloader(look)
    }

    /// Looks without waiting for the next time.
    pub(super) fn look_now(&self) {
        // A look that waits already will see everything.
        let _ = self.0.try_send(());
    }
}

fn look_once(registry: &mut Registry, api: &Api) {
    let node = api.node();
    let reload = registry.poll();
    report(&reload, node.telemetry());
    if let Reload::Applied { ended, .. } | Reload::Broken { ended, .. } = reload {
        node.dismiss(ended);
    }
    node.dismiss(api.registrar().expire());
}

fn report(reload: &Reload, telemetry: &Telemetry) {
    match reload {
        Reload::Unchanged => {}
        Reload::Applied { summary, warnings, ended: _ } => {
            let details = format!(
                "{} certificates, {} senders, {} things, {} policies in force",
                summary.certificates, summary.senders, summary.things, summary.policies
            );
            telemetry.record(&event::RegistryReload::TakenUp { details: &details });
            for warning in warnings.iter() {
                let details = warning.to_string();
                telemetry.record(&event::RegistryReload::TakenUp { details: &details });
            }
        }
        Reload::Broken { mistakes, ended: _ } => {
            for mistake in mistakes.iter() {
                let details = mistake.to_string();
                telemetry.record(&event::RegistryReload::Broken { details: &details });
            }
        }
    }
}
