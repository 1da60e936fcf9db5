//! Why a connection ended.

use mqtt::ReasonCode;

use crate::directory::Status;

/// Why a connection ended: the source of the DISCONNECT code, of the log's `disconnectReason` and
/// of the decision whether the Will is published (spec 4.6 and 4.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// The client sent DISCONNECT.
    ClientInitiated {
        /// Whether it asked for its Will to be published (MQTT 5 code 0x04).
        with_will: bool,
    },
    /// The client broke the protocol or a limit; the code says how.
    ClientError(ReasonCode),
    /// The socket ended or failed without DISCONNECT.
    ConnectionLost,
    /// The same client ID connected anew.
    TakenOver,
    /// A publish or a subscription without permission.
    Forbidden,
    /// The certificate or access key is not in use any more, which [`Status`] tells why. (Never
    /// [`Status::Active`].)
    NotInUse(Status),
    /// Silence for more than one and a half keep-alive periods.
    KeepAliveTimeout,
    /// The device left what was sent to it unread for too long.
    WriteStalled,
    /// The device left a confirmed message unacknowledged, where that is not tolerated.
    MissedAck,
    /// The node shuts down.
    ServerShutdown,
    /// A fault of ours.
    ServerError,
    /// What the client was to be promised cannot be made durable.
    StoreFailed,
    /// A WebSocket connection reached the end of its life.
    WebSocketExpired,
}

impl CloseReason {
    /// AWS's word for it (spec 4.7).
    pub fn disconnect_reason(self) -> &'static str {
        match self {
            CloseReason::ClientInitiated { .. } => "CLIENT_INITIATED_DISCONNECT",
            CloseReason::ClientError(_) => "CLIENT_ERROR",
            CloseReason::ConnectionLost => "CONNECTION_LOST",
            CloseReason::TakenOver => "DUPLICATE_CLIENTID",
            CloseReason::Forbidden => "FORBIDDEN_ACCESS",
            CloseReason::NotInUse(_) => "AUTH_ERROR",
            CloseReason::KeepAliveTimeout => "MQTT_KEEP_ALIVE_TIMEOUT",
            CloseReason::WriteStalled | CloseReason::MissedAck | CloseReason::ServerShutdown => {
                "SERVER_INITIATED_DISCONNECT"
            }
            CloseReason::ServerError | CloseReason::StoreFailed => "SERVER_ERROR",
            CloseReason::WebSocketExpired => "WEBSOCKET_TTL_EXPIRATION",
        }
    }

    /// The reason code of the DISCONNECT that an MQTT 5 client gets; none when nothing can or need
    /// be said.
    pub fn disconnect_code(self) -> Option<ReasonCode> {
        match self {
            CloseReason::ClientInitiated { .. } | CloseReason::ConnectionLost => None,
            CloseReason::ClientError(code) => Some(code),
            CloseReason::TakenOver => Some(ReasonCode::SessionTakenOver),
            CloseReason::Forbidden | CloseReason::NotInUse(_) => Some(ReasonCode::NotAuthorized),
            CloseReason::KeepAliveTimeout => Some(ReasonCode::KeepAliveTimeout),
            CloseReason::WriteStalled => Some(ReasonCode::QuotaExceeded),
            CloseReason::ServerShutdown => Some(ReasonCode::ServerShuttingDown),
            CloseReason::ServerError => Some(ReasonCode::UnspecifiedError),
            CloseReason::StoreFailed => Some(ReasonCode::ImplementationSpecificError),
            CloseReason::MissedAck | CloseReason::WebSocketExpired => {
                Some(ReasonCode::AdministrativeAction)
            }
        }
    }

    /// One sentence for the client: the Reason String of the DISCONNECT.
    pub fn sentence(self) -> &'static str {
        match self {
            CloseReason::ClientInitiated { .. } => "The client disconnected.",
            CloseReason::ClientError(code) => client_error(code),
            CloseReason::ConnectionLost => "The connection was lost.",
            CloseReason::TakenOver => "Another connection uses this client ID.",
            CloseReason::Forbidden => "The policies do not allow this publish.",
            CloseReason::NotInUse(status) => match status {
                Status::Inactive => "The certificate or access key is inactive.",
                Status::Expired => "The certificate has expired.",
                Status::Active | Status::Revoked => "The certificate or access key is revoked.",
            },
            CloseReason::KeepAliveTimeout => {
                "Nothing came for one and a half times the keep-alive."
            }
            CloseReason::WriteStalled => "What was sent was left unread for too long.",
            CloseReason::MissedAck => "A confirmed message was left unacknowledged.",
            CloseReason::ServerShutdown => "The server shuts down.",
            CloseReason::ServerError => "The server failed.",
            CloseReason::StoreFailed => "The server cannot keep messages now.",
            CloseReason::WebSocketExpired => {
                "The WebSocket connection reached the end of its life."
            }
        }
    }

    /// Whether the client's Will is published.
    pub fn publishes_will(self) -> bool {
        self != CloseReason::ClientInitiated { with_will: false }
    }

    /// Whether the client ended it in an orderly way.
    pub fn is_client_initiated(self) -> bool {
        matches!(self, CloseReason::ClientInitiated { .. })
    }
}

/// What the client did wrong, by the code that its DISCONNECT carries.
fn client_error(code: ReasonCode) -> &'static str {
    if code == ReasonCode::MalformedPacket {
        "A packet is malformed."
    } else if code == ReasonCode::PacketTooLarge {
        "A packet is larger than the Maximum Packet Size, or a payload than the quota."
    } else if code == ReasonCode::TopicNameInvalid {
        "A topic is not one that clients may publish on."
    } else if code == ReasonCode::TopicAliasInvalid {
        "A topic alias is 0 or above the Topic Alias Maximum."
    } else if code == ReasonCode::ReceiveMaximumExceeded {
        "More messages are unacknowledged than the Receive Maximum allows."
    } else if code == ReasonCode::QoSNotSupported {
        "The QoS is above the Maximum QoS."
    } else if code == ReasonCode::SubscriptionIdentifiersNotSupported {
        "Subscription identifiers are not available."
    } else {
        "A packet breaks the protocol."
    }
}
