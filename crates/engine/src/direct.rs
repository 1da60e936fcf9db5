//! One direct message and how its delivery settles.

use std::time::Duration;

use mqtt::{Properties, ReasonCode, TopicName, Version};

use crate::Moment;

/// A direct message, ready to be written to one device.
#[derive(Clone, Copy, Debug)]
pub struct DirectMessage<'a> {
    /// Where the device receives it.
    pub topic: TopicName<'a>,
    /// The bytes.
    pub payload: &'a [u8],
    /// MQTT 5 properties; an MQTT 3.1.1 device gets none (spec 1.6).
    pub properties: Properties<'a>,
    /// The same and more, in place of `properties` if the device takes a packet so long.
    pub optional: Option<Properties<'a>>,
    /// How long to wait for the PUBACK; none sends at QoS 0.
    pub confirmation: Option<Duration>,
    /// By when a byte of it has to be on the wire; not sent at all after that.
    pub deadline: Option<Duration>,
}

impl DirectMessage<'_> {
    /// Whether it is written at once or not at all: with a deadline and no confirmation, nobody would
    /// be there to take it back when its time is over.
    pub fn is_now_or_never(&self) -> bool {
        self.confirmation.is_none() && self.deadline.is_some()
    }
}

/// What a session has to do with a direct message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prospect {
    /// The protocol of the connection.
    pub version: Version,
    /// How many messages at QoS 1 and 2 wait for the client's acknowledgement.
    pub inflight: usize,
    /// How many may.
    pub window: u16,
    /// The length of the PUBLISH, in bytes.
    pub packet_bytes: usize,
    /// The longest packet that the client takes, in bytes; [`u32::MAX`] if it named none.
    pub packet_size_max: u32,
}

/// How a confirmed delivery settled. A waiter that is dropped without one learns that the
/// connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// The PUBACK came.
    Acknowledged {
        /// When.
        at: Moment,
    },
    /// The PUBACK carried an MQTT 5 error.
    Rejected {
        /// Its reason code, 0x80 or more.
        code: ReasonCode,
        /// When.
        at: Moment,
    },
}
