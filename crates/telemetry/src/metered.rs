//! What is metered.

use crate::metrics::label;

/// What is metered, in units of 5 KB (spec 9): what AWS charges for by the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Metered {
    /// A direct message, in place of a publish in and one out.
    DirectMessage,
    /// A direct message with confirmation, in place of these and a PUBACK.
    ConfirmedDirectMessage,
    /// A publish of a device, or over HTTP.
    PublishIn,
    /// A publish to a subscriber.
    PublishOut,
    /// A PUBACK of a device, but not for a direct message.
    PubAck,
}

impl Metered {
    /// A direct message, with confirmation or without.
    pub(crate) fn direct(confirmation: bool) -> Self {
        if confirmation { Metered::ConfirmedDirectMessage } else { Metered::DirectMessage }
    }

    /// Its word in the metrics' label `kind`.
    pub fn word(self) -> &'static str {
        match self {
            Metered::DirectMessage => "direct_message",
            Metered::ConfirmedDirectMessage => "confirmed_direct_message",
            Metered::PublishIn => "publish_in",
            Metered::PublishOut => "publish_out",
            Metered::PubAck => "puback",
        }
    }

    /// All of them.
    pub const ALL: [Metered; 5] = [
        Metered::DirectMessage,
        Metered::ConfirmedDirectMessage,
        Metered::PublishIn,
        Metered::PublishOut,
        Metered::PubAck,
    ];
}

label!(Metered, |metered: &Metered| metered.word(), {
    DirectMessage, ConfirmedDirectMessage, PublishIn, PublishOut, PubAck
});
