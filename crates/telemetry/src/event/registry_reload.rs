//! The registry's files were read anew.

use serde::{Serialize, Serializer};

use crate::event::{Event, Protocol};
use crate::member;
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

impl Serialize for RegistryReload<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Members<'a> {
            reason: &'static str,
            #[serde(serialize_with = "member::text")]
            details: &'a str,
        }
        let (reason, details) = match self {
            RegistryReload::TakenUp { details } => ("REGISTRY_TAKEN_UP", details),
            RegistryReload::Broken { details } => ("REGISTRY_BROKEN", details),
        };
        Members { reason, details }.serialize(serializer)
    }
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

    fn count(&self, metrics: &Metrics) {
        metrics.registry_reload(self.status());
    }
}
