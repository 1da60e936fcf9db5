//! Why a connection ended.

use mqtt::ReasonCode;

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
    /// Silence for more than one and a half keep-alive periods.
    KeepAliveTimeout,
    /// The device left what was sent to it unread for too long.
    WriteStalled,
    /// The node shuts down.
    ServerShutdown,
    /// A fault of ours.
    ServerError,
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
            CloseReason::KeepAliveTimeout => "MQTT_KEEP_ALIVE_TIMEOUT",
            CloseReason::WriteStalled | CloseReason::ServerShutdown => {
                "SERVER_INITIATED_DISCONNECT"
            }
            CloseReason::ServerError => "SERVER_ERROR",
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
            CloseReason::Forbidden => Some(ReasonCode::NotAuthorized),
            CloseReason::KeepAliveTimeout => Some(ReasonCode::KeepAliveTimeout),
            CloseReason::WriteStalled => Some(ReasonCode::QuotaExceeded),
            CloseReason::ServerShutdown => Some(ReasonCode::ServerShuttingDown),
            CloseReason::ServerError => Some(ReasonCode::UnspecifiedError),
            CloseReason::WebSocketExpired => Some(ReasonCode::AdministrativeAction),
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
