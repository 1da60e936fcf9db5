//! Reason codes of MQTT 5.0 (standard section 2.4).

use std::fmt;

/// One row a code: the enum, its numbers and its names come from this list.
macro_rules! reason_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// How an operation ended, as MQTT 5.0 says it. 0x80 and above mean failure.
        ///
        /// 0x00 also means "normal disconnection" and "granted QoS 0", by the packet it is in.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum ReasonCode {
            $($(#[$doc])* $name = $code,)*
        }

        impl ReasonCode {
            /// Every code of the standard, in ascending order.
            pub const ALL: &'static [ReasonCode] = &[$(ReasonCode::$name,)*];

            /// The name of the code as written in this enum.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(ReasonCode::$name => stringify!($name),)*
                }
            }
        }

        impl TryFrom<u8> for ReasonCode {
            type Error = UnknownReasonCode;

            #[inline]
            fn try_from(code: u8) -> Result<Self, UnknownReasonCode> {
                match code {
                    $($code => Ok(ReasonCode::$name),)*
                    other => Err(UnknownReasonCode(other)),
                }
            }
        }
    };
}

reason_codes! {
    /// Success, normal disconnection, or granted QoS 0.
    Success = 0x00,
    /// The subscription is accepted with QoS 1 at most.
    GrantedQoS1 = 0x01,
    /// The subscription is accepted with QoS 2 at most.
    GrantedQoS2 = 0x02,
    /// The client leaves and wants its will published.
    DisconnectWithWill = 0x04,
    /// The message is accepted, but nobody is subscribed.
    NoMatchingSubscribers = 0x10,
    /// There was no such subscription to remove.
    NoSubscriptionExisted = 0x11,
    /// The authentication goes on with another step.
    ContinueAuthentication = 0x18,
    /// The client starts to authenticate again.
    ReAuthenticate = 0x19,
    /// A failure that the sender does not explain.
    UnspecifiedError = 0x80,
    /// The packet could not be parsed.
    MalformedPacket = 0x81,
    /// The packet was out of order or held a forbidden value.
    ProtocolError = 0x82,
    /// The packet is valid, but this implementation does not accept it.
    ImplementationSpecificError = 0x83,
    /// The server does not speak the requested version.
    UnsupportedProtocolVersion = 0x84,
    /// The client identifier is valid, but not accepted.
    ClientIdentifierNotValid = 0x85,
    /// User name or password are wrong.
    BadUserNameOrPassword = 0x86,
    /// The operation is not allowed for this client.
    NotAuthorized = 0x87,
    /// The server cannot serve now.
    ServerUnavailable = 0x88,
    /// The server is overloaded.
    ServerBusy = 0x89,
    /// The client is barred by an administrator.
    Banned = 0x8A,
    /// The server stops.
    ServerShuttingDown = 0x8B,
    /// The authentication method is not supported or does not fit the current one.
    BadAuthenticationMethod = 0x8C,
    /// Nothing was received for one and a half times the keep alive time.
    KeepAliveTimeout = 0x8D,
    /// Another connection uses the same client identifier.
    SessionTakenOver = 0x8E,
    /// The topic filter is valid, but not accepted.
    TopicFilterInvalid = 0x8F,
    /// The topic name is not accepted.
    TopicNameInvalid = 0x90,
    /// The packet identifier is in use already.
    PacketIdentifierInUse = 0x91,
    /// The packet identifier is not known.
    PacketIdentifierNotFound = 0x92,
    /// More messages than the receive maximum are unacknowledged.
    ReceiveMaximumExceeded = 0x93,
    /// The topic alias is 0 or above the maximum.
    TopicAliasInvalid = 0x94,
    /// The packet is larger than the maximum packet size.
    PacketTooLarge = 0x95,
    /// The messages come too fast.
    MessageRateTooHigh = 0x96,
    /// A limit of the implementation or of the administrator is reached.
    QuotaExceeded = 0x97,
    /// The connection is closed by an administrator.
    AdministrativeAction = 0x98,
    /// The payload is not what the payload format indicator says.
    PayloadFormatInvalid = 0x99,
    /// The server does not retain messages.
    RetainNotSupported = 0x9A,
    /// The QoS is above the server's maximum.
    QoSNotSupported = 0x9B,
    /// The client should use another server for now.
    UseAnotherServer = 0x9C,
    /// The client should use another server from now on.
    ServerMoved = 0x9D,
    /// The server has no shared subscriptions.
    SharedSubscriptionsNotSupported = 0x9E,
    /// The client connects too often.
    ConnectionRateExceeded = 0x9F,
    /// The connection has reached its allowed age.
    MaximumConnectTime = 0xA0,
    /// The server has no subscription identifiers.
    SubscriptionIdentifiersNotSupported = 0xA1,
    /// The server has no wildcard subscriptions.
    WildcardSubscriptionsNotSupported = 0xA2,
}

/// A byte that is no reason code of MQTT 5.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("0x{0:02X} is not a reason code of MQTT 5.0")]
pub struct UnknownReasonCode(pub u8);

impl ReasonCode {
    /// Whether the code means failure: 0x80 and above.
    #[must_use]
    pub fn is_error(self) -> bool {
        self.code() >= 0x80
    }

    /// The byte on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<ReasonCode> for u8 {
    fn from(reason: ReasonCode) -> u8 {
        reason.code()
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (0x{:02X})", self.name(), self.code())
    }
}
