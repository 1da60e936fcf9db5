//! The tables.

/// A set of records with one meaning. Keys of two tables have nothing to do with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// What the node remembers about itself, such as the session number it gives next.
    Meta,
    /// Sessions, by client ID.
    Sessions,
    /// Subscriptions of the sessions.
    Subscriptions,
    /// Messages that wait for a session: `session number, u64 big-endian ‖ sequence number, u64
    /// big-endian`, so that the messages of one session are neighbours and in order.
    Queues,
    /// Packet IDs of QoS 2 messages that a session has received and not yet released
    /// `[MQTT-4.3.3-2]`.
    Received,
    /// Wills whose connection has ended and whose delay has not passed yet `[MQTT-3.1.3-9]`.
    Wills,
    /// Retained messages, by topic.
    Retained,
    /// What was registered through the API: certificates, policies, things and the like.
    Registry,
    /// Device Shadows: `thing ‖ 0 ‖ shadow`, so that those of one thing are neighbours.
    Shadows,
}

impl Table {
    /// Every table, in the order of the variants.
    pub const ALL: [Self; 9] = [
        Self::Meta,
        Self::Sessions,
        Self::Subscriptions,
        Self::Queues,
        Self::Received,
        Self::Wills,
        Self::Retained,
        Self::Registry,
        Self::Shadows,
    ];

    /// The name by which a store on disk knows the table. It is part of the format: it never changes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Sessions => "sessions",
            Self::Subscriptions => "subscriptions",
            Self::Queues => "queues",
            Self::Received => "received",
            Self::Wills => "wills",
            Self::Retained => "retained",
            Self::Registry => "registry",
            Self::Shadows => "shadows",
        }
    }

    /// The position in [`Table::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_at_its_index_under_a_name_of_its_own() {
        for (index, table) in Table::ALL.into_iter().enumerate() {
            assert_eq!(table.index(), index);
            let same_name = Table::ALL.iter().filter(|other| other.name() == table.name());
            assert_eq!(same_name.count(), 1);
        }
    }
}
