//! The registry's files were read anew.

use crate::event::{Event, Party, Protocol};
use crate::line::{Line, key};
use crate::{Metrics, Status, TraceId};

/// The registry's files were read anew after a change. One for each mistake found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistryReload<'a> {
    /// The new state is in force.
    TakenUp {
        /// What there is now, for people.
        details: &'a str,
    },
    /// A file is broken; the last good state stays in force.
    Broken {
        /// File, line, what is wrong and what would be right.
        details: &'a str,
    },
}

impl Event for RegistryReload<'_> {
    const TYPE: &'static str = "RegistryReload";

    fn trace_id(&self) -> TraceId {
        TraceId::random()
    }

    fn status(&self) -> Status {
        Status::of(matches!(self, RegistryReload::TakenUp { .. }))
    }

    fn protocol(&self) -> Option<Protocol> {
        None
    }

    fn party(&self) -> Option<Party<'_>> {
        None
    }

    fn write(&self, line: &mut Line) {
        let (reason, details) = match self {
            RegistryReload::TakenUp { details } => ("REGISTRY_TAKEN_UP", details),
            RegistryReload::Broken { details } => ("REGISTRY_BROKEN", details),
        };
        line.word(key!("reason"), reason);
        line.text(key!("details"), details);
    }

    fn count(&self, metrics: &Metrics) {
        metrics.registry_reload(self.status());
    }
}
