//! What a client sends after its CONNECT.

use mqtt::{Ack, Disconnect, Packet, ReasonCode, Subscribe, Unsubscribe, Version};

use super::publish::Incoming;
use super::{Session, encode};
use crate::Moment;
use crate::close::CloseReason;
use crate::direct::Settlement;
use crate::inflight::Slot;

/// What the broker has to do about a packet.
#[derive(Debug)]
pub enum Step<'a, W> {
    /// Nothing more; the session has dealt with it.
    Nothing,
    /// A confirmed direct message settled.
    Settled(W, Settlement),
    /// A publish to authorise and route; then [`Session::acknowledge`].
    Publish(Incoming<'a>),
    /// A publish beyond the connection's rate, discarded; for the log.
    Throttled(super::Topic<'a>),
    /// Filters to authorise and register; then the SUBACK.
    Subscribe(Subscribe<'a>),
    /// Filters to remove; then the UNSUBACK.
    Unsubscribe(Unsubscribe<'a>),
    /// A new session expiry that the client sent with its DISCONNECT, in seconds, before its
    /// connection is closed.
    Disconnect {
        /// Why to close.
        reason: CloseReason,
        /// The new expiry, already cut to the quota.
        session_expiry_seconds: Option<u32>,
    },
    /// Close the connection.
    Close(CloseReason),
}

/// Codes that only a server may disconnect with (MQTT 5, table 3-10).
const SERVER_ONLY: [ReasonCode; 15] = [
    ReasonCode::NotAuthorized,
    ReasonCode::ServerBusy,
    ReasonCode::ServerShuttingDown,
    ReasonCode::KeepAliveTimeout,
    ReasonCode::SessionTakenOver,
    ReasonCode::TopicFilterInvalid,
    ReasonCode::RetainNotSupported,
    ReasonCode::QoSNotSupported,
    ReasonCode::UseAnotherServer,
    ReasonCode::ServerMoved,
    ReasonCode::SharedSubscriptionsNotSupported,
    ReasonCode::ConnectionRateExceeded,
    ReasonCode::MaximumConnectTime,
    ReasonCode::SubscriptionIdentifiersNotSupported,
    ReasonCode::WildcardSubscriptionsNotSupported,
];

impl<W> Session<W> {
    /// Deals with one packet received at `now`; what is to be answered at once is appended to
    /// `out`.
    pub fn handle_packet<'a>(
        &mut self,
        packet: Packet<'a>,
        now: Moment,
        out: &mut Vec<u8>,
    ) -> Step<'a, W> {
        self.last_received = now;
        match packet {
            Packet::Publish(publish) => self.handle_publish(publish, now, out),
            Packet::PubAck(ack) => self.handle_puback(&ack, now),
            Packet::Subscribe(subscribe) => Step::Subscribe(subscribe),
            Packet::Unsubscribe(unsubscribe) => Step::Unsubscribe(unsubscribe),
            Packet::PingReq => {
                encode(&Packet::PingResp, self.version, out);
                Step::Nothing
            }
            Packet::Disconnect(disconnect) => self.handle_disconnect(&disconnect),
            // A second CONNECT [MQTT-3.1.0-2], packets only a server sends, the parts of QoS 2
            // (Maximum QoS is 1), and AUTH without an authentication method [MQTT-4.12.0-7].
            Packet::Connect(_)
            | Packet::ConnAck(_)
            | Packet::PubRec(_)
            | Packet::PubRel(_)
            | Packet::PubComp(_)
            | Packet::SubAck(_)
            | Packet::UnsubAck(_)
            | Packet::PingResp
            | Packet::Auth(_) => Step::Close(CloseReason::ClientError(ReasonCode::ProtocolError)),
        }
    }

    /// Appends the SUBACK or UNSUBACK, or any other answer of the broker.
    pub fn answer(&self, packet: &Packet<'_>, out: &mut Vec<u8>) {
        encode(packet, self.version, out);
    }

    fn handle_puback<'a>(&mut self, ack: &Ack<'_>, now: Moment) -> Step<'a, W> {
        // An unknown ID is a PUBACK that comes after its connection's message was forgotten, or a
        // repetition; the standards name no error for it.
        match self.inflight.acknowledge(ack.packet_id) {
            Some(Slot::Direct { waiter: Some(waiter), .. }) => {
                let settlement = if ack.reason.is_error() {
                    Settlement::Rejected { code: ack.reason, at: now }
                } else {
                    Settlement::Acknowledged { at: now }
                };
                Step::Settled(waiter, settlement)
            }
            Some(Slot::Direct { waiter: None, .. } | Slot::Publish) | None => Step::Nothing,
        }
    }

    fn handle_disconnect<'a>(&mut self, disconnect: &Disconnect<'_>) -> Step<'a, W> {
        if SERVER_ONLY.contains(&disconnect.reason) {
            return Step::Close(CloseReason::ClientError(ReasonCode::ProtocolError));
        }
        let requested = match self.version {
            Version::V5 => disconnect.properties.session_expiry_interval(),
            Version::V311 => None,
        };
        Step::Disconnect {
            reason: CloseReason::ClientInitiated {
                with_will: disconnect.reason != ReasonCode::Success,
            },
            session_expiry_seconds: requested
                .map(|seconds| seconds.min(self.rules.quotas.session_expiry_seconds)),
        }
    }
}
