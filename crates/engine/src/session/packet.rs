//! What a client sends after its CONNECT.

use mqtt::{Disconnect, Packet, PacketId, ReasonCode, Subscribe, Unsubscribe, Version};

use super::hold::Wait;
use super::publish::Incoming;
use super::{Session, encode};
use crate::Moment;
use crate::close::CloseReason;
use crate::direct::Settlement;

/// What the broker has to do about a packet.
#[derive(Debug)]
pub enum Step<'a, W> {
    /// Nothing more; the session has dealt with it.
    Nothing,
    /// The client acknowledged a message at QoS 1 that was published.
    Acknowledged,
    /// A confirmed direct message settled.
    Settled(W, Settlement),
    /// A publish to authorise and route; then [`Session::acknowledge`].
    Publish(Incoming<'a>),
    /// A publish beyond the connection's rate, discarded; for the log.
    Throttled(super::Topic<'a>),
    /// A publish at QoS 2 that was taken before; then [`Session::acknowledge`], and nothing else.
    Repeated(PacketId),
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
            Packet::PubRec(ack) => self.handle_pubrec(&ack, now, out),
            Packet::PubRel(ack) => self.handle_pubrel(&ack, out),
            Packet::PubComp(ack) => self.handle_pubcomp(&ack),
            Packet::Subscribe(subscribe) => Step::Subscribe(subscribe),
            Packet::Unsubscribe(unsubscribe) => Step::Unsubscribe(unsubscribe),
            Packet::PingReq => {
                if self.is_opening() {
                    self.emit(&Packet::PingResp, Wait::No, out);
                } else {
                    // It says that the server is there, whatever the disk does.
                    encode(&Packet::PingResp, self.version, out);
                }
                Step::Nothing
            }
            Packet::Disconnect(disconnect) => self.handle_disconnect(&disconnect),
            // A second CONNECT [MQTT-3.1.0-2], packets only a server sends, and AUTH without an
            // authentication method.
            Packet::Connect(_)
            | Packet::ConnAck(_)
            | Packet::SubAck(_)
            | Packet::UnsubAck(_)
            | Packet::PingResp
            | Packet::Auth(_) => Step::Close(CloseReason::ClientError(ReasonCode::ProtocolError)),
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
