//! When something is durable.

/// The place of a change in the order in which changes become durable: once a ticket is durable,
/// so are all that are smaller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

impl Ticket {
    /// Of nothing to be kept: durable from the start.
    pub const NONE: Ticket = Ticket(0);

    /// Of what was not kept and never will be.
    pub const NEVER: Ticket = Ticket(u64::MAX);

    /// The ticket of that number.
    pub const fn new(number: u64) -> Self {
        Ticket(number)
    }

    /// Its number.
    pub const fn number(self) -> u64 {
        self.0
    }
}
