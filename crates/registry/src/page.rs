//! Part of a list.

/// In which order a list is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// What was made first comes first.
    OldestFirst,
    /// What was made last comes first.
    NewestFirst,
}

/// Where a page ended. It names the last record, so that what comes and goes meanwhile moves nothing
/// from one page to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// When the last record of the page was made, in milliseconds since 1970.
    pub created_at: i64,
    /// Its name.
    pub name: String,
}

/// Which part of a list is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The end of the page before.
    pub after: Option<Place>,
    /// How many records at most; not 0.
    pub size: usize,
    /// In which order.
    pub order: Order,
}
