//! A place in the order of writes.

/// What a write got: it is durable once every write up to it is. Tickets rise in the order of the
/// writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub(super) u64);

impl Ticket {
    /// The ticket of what needs no writing: durable from the start.
    pub const NONE: Self = Self(0);

    /// The ticket of a write that was ignored: it never becomes durable.
    pub(super) const NEVER: Self = Self(u64::MAX);
}
