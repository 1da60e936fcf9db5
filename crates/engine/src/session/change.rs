//! What changed in a session that outlives its connection, for whoever makes it durable.

use mqtt::PacketId;

use crate::queue::Entry;

/// One change. Applied in order, they lead from one [`Memory`](super::Memory) to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A message is to be delivered, or is about to be sent under that packet ID at QoS 2.
    Kept {
        /// The message.
        entry: Entry,
        /// Its packet ID, for QoS 2 only: the client knows the message by it.
        packet_id: Option<PacketId>,
    },
    /// The client has the message of that number, at QoS 2; PUBCOMP is missing.
    Released {
        /// Its number.
        seq: u64,
        /// Its packet ID.
        packet_id: PacketId,
    },
    /// The message of that number needs nothing more.
    Removed {
        /// Its number.
        seq: u64,
    },
    /// The client sent a message at QoS 2, not to be taken a second time.
    Received(PacketId),
    /// The client released that message: the packet ID is free for another.
    Forgotten(PacketId),
}
