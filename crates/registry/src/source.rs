//! Where a record comes from.

use std::fmt;
use std::sync::Arc;

/// Where a record comes from, and so where it can be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file of the registry folder, by its path. The API only reads it.
    File(Arc<str>),
    /// Made through the API, and kept in the store.
    Api,
}

impl fmt::Display for Source {
    /// The word of the member `source`: `api`, or `file:` and the path.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::File(path) => write!(f, "file:{path}"),
            Source::Api => f.write_str("api"),
        }
    }
}
