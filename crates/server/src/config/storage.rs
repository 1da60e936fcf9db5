//! The `[store]` table.

use std::path::{Path, PathBuf};

use ::store::Durability;

use super::document::Table;

/// Where sessions, queued and retained messages are kept, and how safely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// The folder; made when it does not exist.
    pub folder: PathBuf,
    /// What a publisher's acknowledgement promises.
    pub durability: Durability,
}

/// Reads the table; `beside` is the folder of the configuration.
pub(super) fn read(mut table: Table<'_>, beside: &Path) -> Storage {
    let folder = table.get("folder").and_then(|value| value.path());
    let words = Durability::ALL.map(|durability| (durability.name(), durability));
    let durability = table.get("durability").and_then(|value| value.one_of(&words));
    Storage {
        folder: folder.unwrap_or_else(|| beside.join("store")),
        durability: durability.unwrap_or(Durability::Always),
    }
}
