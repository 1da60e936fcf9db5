//! The properties of MQTT 5.0 (standard section 2.2.2): one table says all about each of them.

use crate::error::{DecodeError, EncodeError};
use crate::properties::Properties;
use crate::property_rule as rule;
use crate::reader::Reader;
use crate::writer::{self, Sink};

/// Where properties can stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Connect,
    Will,
    ConnAck,
    Publish,
    /// PUBACK, PUBREC, PUBREL and PUBCOMP.
    Ack,
    Subscribe,
    SubAck,
    Unsubscribe,
    UnsubAck,
    Disconnect,
    Auth,
}

/// The identifier of user properties, which may repeat anywhere.
pub(crate) const USER_PROPERTY: u8 = 0x26;
/// The identifier of subscription identifiers, which may repeat in PUBLISH only.
pub(crate) const SUBSCRIPTION_IDENTIFIER: u8 = 0x0B;

/// Row: documentation, `Variant(type) = identifier, how it is written, rule for its value,
/// getter, name in errors, [places];`
macro_rules! properties {
    ($(
        $(#[$doc:meta])*
        $name:ident($ty:ty) = $id:literal, $wire:ident, $rule:ident, $getter:ident, $what:literal,
            [$($place:ident),*];
    )*) => {
        /// One property, borrowed from the packet it came in.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Property<'a> {
            $($(#[$doc])* $name($ty),)*
            /// Name and value chosen by the application; may be repeated, in any packet that has
            /// properties.
            UserProperty(&'a str, &'a str),
        }

        impl<'a> Property<'a> {
            /// The identifier on the wire.
            #[must_use]
            pub fn id(&self) -> u8 {
                match self {
                    $(Property::$name(_) => $id,)*
                    Property::UserProperty(..) => USER_PROPERTY,
                }
            }

            /// Reads one property and checks its value. Every known identifier is one byte; a
            /// longer variable byte integer is either unknown or not in its shortest form.
            #[inline]
            pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
                match reader.byte("property identifier")? {
                    $($id => {
                        let value = reader.$wire($what)?;
                        rule::$rule(value).map_err(|broken| broken.on_decode($what))?;
                        Ok(Property::$name(value))
                    })*
                    USER_PROPERTY => Ok(Property::UserProperty(
                        reader.string("user property name")?,
                        reader.string("user property value")?,
                    )),
                    _ => Err(DecodeError::malformed("property identifier", "is not known")),
                }
            }

            /// Whether the value may be written.
            pub(crate) fn check(&self) -> Result<(), EncodeError> {
                match *self {
                    $(Property::$name(value) => {
                        check_size::$wire(value, $what)?;
                        rule::$rule(value).map_err(|broken| broken.on_encode($what))
                    })*
                    Property::UserProperty(name, value) => {
                        writer::check_string(name, "user property name")?;
                        writer::check_string(value, "user property value")
                    }
                }
            }

            /// Writes identifier and value.
            pub(crate) fn write(&self, out: &mut impl Sink) {
                out.byte(self.id());
                match *self {
                    $(Property::$name(value) => out.$wire(value),)*
                    Property::UserProperty(name, value) => {
                        out.string(name);
                        out.string(value);
                    }
                }
            }
        }

        impl<'a> Properties<'a> {
            $(
                #[doc = concat!("The first ", $what, ", if there is one.")]
                #[must_use]
                pub fn $getter(&self) -> Option<$ty> {
                    if !self.has($id) {
                        return None;
                    }
                    self.iter().find_map(|property| {
                        let Property::$name(value) = property else { return None };
                        Some(value)
                    })
                }
            )*
        }

        impl Place {
            /// One bit for each property that may stand here, by its identifier.
            pub(crate) const fn allowed(self) -> u64 {
                let mut set = 1 << USER_PROPERTY;
                $($(
                    if self as u8 == Place::$place as u8 {
                        set |= 1 << $id;
                    }
                )*)*
                set
            }
        }
    };
}

properties! {
    /// 0: the payload is unspecified bytes; 1: it is UTF-8 text.
    PayloadFormatIndicator(u8) = 0x01, byte, flag, payload_format_indicator,
        "payload format indicator", [Publish, Will];
    /// The lifetime of the message in seconds. 0 is valid.
    MessageExpiryInterval(u32) = 0x02, four_bytes, any, message_expiry_interval,
        "message expiry interval", [Publish, Will];
    /// What the payload is, for example a MIME type.
    ContentType(&'a str) = 0x03, string, any, content_type,
        "content type", [Publish, Will];
    /// The topic for a response; never with wildcards `[MQTT-3.3.2-14]`.
    ResponseTopic(&'a str) = 0x08, string, topic, response_topic,
        "response topic", [Publish, Will];
    /// What tells the requester which request a response belongs to.
    CorrelationData(&'a [u8]) = 0x09, binary, any, correlation_data,
        "correlation data", [Publish, Will];
    /// 1 to 268435455. A PUBLISH may hold several, SUBSCRIBE only one.
    SubscriptionIdentifier(u32) = 0x0B, variable, non_zero, subscription_identifier,
        "subscription identifier", [Publish, Subscribe];
    /// The lifetime of the session after the connection in seconds; 0xFFFFFFFF: for ever.
    SessionExpiryInterval(u32) = 0x11, four_bytes, any, session_expiry_interval,
        "session expiry interval", [Connect, ConnAck, Disconnect];
    /// The name that the server gave to a client that had none.
    AssignedClientIdentifier(&'a str) = 0x12, string, any, assigned_client_identifier,
        "assigned client identifier", [ConnAck];
    /// The keep alive time in seconds that the client must use instead of its own.
    ServerKeepAlive(u16) = 0x13, two_bytes, any, server_keep_alive,
        "server keep alive", [ConnAck];
    /// The name of the extended authentication method.
    AuthenticationMethod(&'a str) = 0x15, string, any, authentication_method,
        "authentication method", [Connect, ConnAck, Auth];
    /// Data of the extended authentication, only beside its method.
    AuthenticationData(&'a [u8]) = 0x16, binary, any, authentication_data,
        "authentication data", [Connect, ConnAck, Auth];
    /// 0: reason strings and user properties only where the client cannot do without.
    RequestProblemInformation(u8) = 0x17, byte, flag, request_problem_information,
        "request problem information", [Connect];
    /// How long the will waits after the connection is lost, in seconds.
    WillDelayInterval(u32) = 0x18, four_bytes, any, will_delay_interval,
        "will delay interval", [Will];
    /// 1: the client asks for response information in CONNACK.
    RequestResponseInformation(u8) = 0x19, byte, flag, request_response_information,
        "request response information", [Connect];
    /// A base for response topics.
    ResponseInformation(&'a str) = 0x1A, string, any, response_information,
        "response information", [ConnAck];
    /// Other servers that the client may use.
    ServerReference(&'a str) = 0x1C, string, any, server_reference,
        "server reference", [ConnAck, Disconnect];
    /// Why, for people who read logs.
    ReasonString(&'a str) = 0x1F, string, any, reason_string,
        "reason string", [ConnAck, Ack, SubAck, UnsubAck, Disconnect, Auth];
    /// How many unacknowledged QoS 1 and 2 messages the sender of this can take: 1 to 65535.
    ReceiveMaximum(u16) = 0x21, two_bytes, non_zero, receive_maximum,
        "receive maximum", [Connect, ConnAck];
    /// The highest topic alias that the sender of this understands; 0: none.
    TopicAliasMaximum(u16) = 0x22, two_bytes, any, topic_alias_maximum,
        "topic alias maximum", [Connect, ConnAck];
    /// A number that stands for the topic: 1 to 65535.
    TopicAlias(u16) = 0x23, two_bytes, alias, topic_alias,
        "topic alias", [Publish];
    /// The highest QoS of the server, 0 or 1; absent when it is 2.
    MaximumQoS(u8) = 0x24, byte, flag, maximum_qos,
        "maximum QoS", [ConnAck];
    /// Whether the server retains messages (0 or 1); absent means 1.
    RetainAvailable(u8) = 0x25, byte, flag, retain_available,
        "retain available", [ConnAck];
    /// The largest packet that the sender of this can take, in bytes: 1 to 4294967295.
    MaximumPacketSize(u32) = 0x27, four_bytes, non_zero, maximum_packet_size,
        "maximum packet size", [Connect, ConnAck];
    /// Whether the server has wildcard subscriptions (0 or 1); absent means 1.
    WildcardSubscriptionAvailable(u8) = 0x28, byte, flag, wildcard_subscription_available,
        "wildcard subscription available", [ConnAck];
    /// Whether the server has subscription identifiers (0 or 1); absent means 1.
    SubscriptionIdentifierAvailable(u8) = 0x29, byte, flag, subscription_identifier_available,
        "subscription identifier available", [ConnAck];
    /// Whether the server has shared subscriptions (0 or 1); absent means 1.
    SharedSubscriptionAvailable(u8) = 0x2A, byte, flag, shared_subscription_available,
        "shared subscription available", [ConnAck];
}

/// Whether a value fits its form on the wire, by the names of the table.
mod check_size {
    use crate::error::EncodeError;
    use crate::writer;

    pub(super) use writer::{check_binary as binary, check_string as string};

    type Checked = Result<(), EncodeError>;

    pub(super) fn byte(_: u8, _: &'static str) -> Checked {
        Ok(())
    }

    pub(super) fn two_bytes(_: u16, _: &'static str) -> Checked {
        Ok(())
    }

    pub(super) fn four_bytes(_: u32, _: &'static str) -> Checked {
        Ok(())
    }

    pub(super) fn variable(value: u32, what: &'static str) -> Checked {
        if value > writer::MAX_VARIABLE {
            return Err(EncodeError::invalid(what, "must be at most 268435455"));
        }
        Ok(())
    }
}
