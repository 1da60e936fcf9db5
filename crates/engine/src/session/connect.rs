//! CONNECT: what the client asks for and what it gets.

use mqtt::{
    ClientId, ConnAck, Connect, Packet, Properties, PropertiesBuf, Property, QoS, ReasonCode,
    Version,
};

use super::{Rules, Session, encode, reason_string};
use crate::Ticket;

/// The terms of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The protocol version.
    pub version: Version,
    /// The client ID, given or assigned.
    pub client_id: ClientId,
    /// Whether the client ID was assigned by us (MQTT 5).
    pub assigned: bool,
    /// Whether an older session is thrown away.
    pub clean_start: bool,
    /// How long the session outlives the connection, in seconds.
    pub session_expiry_seconds: u32,
    /// Keep-alive, in seconds; 0 is none.
    pub keep_alive_seconds: u16,
    /// The client's Receive Maximum.
    pub receive_maximum: u16,
    /// The client's Maximum Packet Size, in bytes.
    pub packet_size_max: u32,
    /// The client's Topic Alias Maximum.
    pub topic_alias_maximum: u16,
    /// Whether the client wants reason strings with its acknowledgements ([MQTT-3.1.2-29]).
    pub problem_information: bool,
    session_expiry_requested: u32,
    keep_alive_requested: u16,
}

/// A CONNECT that cannot be granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The CONNACK's reason code (MQTT 3.1.1: mapped to its return code).
    pub code: ReasonCode,
    /// What is wrong, for the log.
    pub details: &'static str,
}

/// Works out the terms of a CONNECT. `assign` makes a client ID for a client that leaves it to the
/// server ([MQTT-3.1.3-6], [MQTT-3.1.3-7]).
///
/// # Errors
/// [`Refusal`] with the code for the CONNACK.
pub fn negotiate(
    connect: &Connect<'_>,
    rules: &Rules,
    assign: impl FnOnce() -> ClientId,
) -> Result<Granted, Refusal> {
    let assigned = connect.client_id.is_empty();
    let client_id =
        if assigned { assigned_id(connect, assign)? } else { given_id(connect, rules)? };
    check_will(connect, rules)?;
    if connect.properties.authentication_method().is_some() {
        return refuse(
            ReasonCode::BadAuthenticationMethod,
            "enhanced authentication is not supported; leave the Authentication Method out",
        );
    }
    let packet_size_max = connect.properties.maximum_packet_size().unwrap_or(u32::MAX);
    if packet_size_max < rules.profile.maximum_packet_size_min {
        return refuse(
            ReasonCode::PacketTooLarge,
            "the client's Maximum Packet Size is below the smallest allowed",
        );
    }
    let session_expiry_requested = match connect.version {
        Version::V5 => connect.properties.session_expiry_interval().unwrap_or(0),
        Version::V311 if connect.clean_start => 0,
        Version::V311 => u32::MAX,
    };
    let granted = Granted {
        version: connect.version,
        client_id,
        assigned,
        clean_start: connect.clean_start,
        session_expiry_seconds: session_expiry_requested.min(rules.quotas.session_expiry_seconds),
        keep_alive_seconds: rules.profile.keep_alive(connect.keep_alive),
        receive_maximum: connect.properties.receive_maximum().unwrap_or(u16::MAX),
        packet_size_max,
        topic_alias_maximum: connect.properties.topic_alias_maximum().unwrap_or(0),
        problem_information: connect.properties.request_problem_information() != Some(0),
        session_expiry_requested,
        keep_alive_requested: connect.keep_alive,
    };
    check_connack(&granted, rules)?;
    Ok(granted)
}

/// Every CONNACK that grants something is smaller.
const LARGEST_CONNACK: u32 = 512;

/// A client that cannot take our CONNACK cannot be let in ([MQTT-3.1.2-24]).
fn check_connack(granted: &Granted, rules: &Rules) -> Result<(), Refusal> {
    if granted.packet_size_max >= LARGEST_CONNACK && !granted.assigned {
        return Ok(());
    }
    let mut connack = Vec::new();
    granted.accept(false, rules, &mut connack);
    if connack.len() > granted.packet_size_max as usize {
        return refuse(
            ReasonCode::PacketTooLarge,
            "the client's Maximum Packet Size has no room for the CONNACK",
        );
    }
    Ok(())
}

/// Room for the properties of a CONNACK with an assigned client ID of ours.
const CONNACK_PROPERTY_BYTES: usize = 96;

impl Granted {
    /// Appends the CONNACK that grants these terms (properties: spec 4.1).
    pub fn accept(&self, session_present: bool, rules: &Rules, out: &mut Vec<u8>) {
        let mut properties = PropertiesBuf::new();
        if self.version == Version::V5 {
            properties = PropertiesBuf::with_capacity(CONNACK_PROPERTY_BYTES);
            self.each_connack_property(rules, |property| {
                let pushed = properties.push(property);
                debug_assert!(pushed.is_ok(), "a property of our own does not encode");
            });
        }
        let packet = Packet::ConnAck(ConnAck {
            session_present,
            reason: ReasonCode::Success,
            properties: properties.as_properties(),
        });
        encode(&packet, self.version, out);
    }

    fn each_connack_property(&self, rules: &Rules, mut tell: impl FnMut(Property<'_>)) {
        let profile = rules.profile;
        tell(Property::ReceiveMaximum(rules.quotas.inbound_unacknowledged));
        if profile.maximum_qos < QoS::ExactlyOnce {
            tell(Property::MaximumQoS(profile.maximum_qos as u8));
        }
        tell(Property::RetainAvailable(1));
        tell(Property::MaximumPacketSize(profile.maximum_packet_size));
        tell(Property::TopicAliasMaximum(profile.topic_alias_maximum));
        let identifiers = u8::from(profile.subscription_identifiers);
        tell(Property::SubscriptionIdentifierAvailable(identifiers));
        tell(Property::WildcardSubscriptionAvailable(1));
        tell(Property::SharedSubscriptionAvailable(1));
        if self.session_expiry_seconds != self.session_expiry_requested {
            tell(Property::SessionExpiryInterval(self.session_expiry_seconds));
        }
        if self.keep_alive_seconds != self.keep_alive_requested {
            tell(Property::ServerKeepAlive(self.keep_alive_seconds));
        }
        if self.assigned {
            tell(Property::AssignedClientIdentifier(self.client_id.as_str()));
        }
    }
}

impl<W> Session<W> {
    /// Appends the CONNACK that grants these terms, once `durable` is: a session that it tells of is
    /// there after a crash, and one that it says is gone is not. It is the first packet
    /// ([MQTT-3.2.0-1]).
    pub fn accept(
        &mut self,
        granted: &Granted,
        session_present: bool,
        durable: Ticket,
        out: &mut Vec<u8>,
    ) {
        if durable == Ticket::NONE {
            return granted.accept(session_present, &self.rules, out);
        }
        let mut connack = Vec::new();
        granted.accept(session_present, &self.rules, &mut connack);
        self.hold.get_or_insert_default().open(durable, connack);
    }
}

impl Refusal {
    /// Appends the CONNACK that refuses; nothing if the version has no way to say why, and then the
    /// connection is only closed. `packet_size_max` is the client's Maximum Packet Size: a reason
    /// string that has no room is left out ([MQTT-3.2.2-19]).
    pub fn refuse(self, version: Version, packet_size_max: Option<u32>, out: &mut Vec<u8>) {
        let reason = match version {
            Version::V5 => Some(self.code),
            Version::V311 => return_code(self.code),
        };
        let Some(reason) = reason else { return };
        let said = reason_string(version, Some(self.details));
        let full = ConnAck { session_present: false, reason, properties: said.as_properties() };
        let fits = packet_size_max.is_none_or(|max| full.encoded_len(version) <= max as usize);
        let connack = if fits { full } else { ConnAck { properties: Properties::EMPTY, ..full } };
        encode(&Packet::ConnAck(connack), version, out);
    }
}

/// The code with a return code in MQTT 3.1.1 that says the same (table 3.1 there), if any does.
fn return_code(code: ReasonCode) -> Option<ReasonCode> {
    let busy = [
        ReasonCode::QuotaExceeded,
        ReasonCode::ServerUnavailable,
        ReasonCode::ServerBusy,
        ReasonCode::ServerShuttingDown,
        ReasonCode::ConnectionRateExceeded,
    ];
    let same = [
        ReasonCode::UnsupportedProtocolVersion,
        ReasonCode::ClientIdentifierNotValid,
        ReasonCode::BadUserNameOrPassword,
        ReasonCode::NotAuthorized,
    ];
    if busy.contains(&code) {
        Some(ReasonCode::ServerUnavailable)
    } else {
        same.contains(&code).then_some(code)
    }
}

fn refuse<T>(code: ReasonCode, details: &'static str) -> Result<T, Refusal> {
    Err(Refusal { code, details })
}

fn assigned_id(
    connect: &Connect<'_>,
    assign: impl FnOnce() -> ClientId,
) -> Result<ClientId, Refusal> {
    match connect.version {
        Version::V311 if !connect.clean_start => refuse(
            ReasonCode::ClientIdentifierNotValid,
            "an empty client ID needs a clean session [MQTT3-3.1.3-8]",
        ),
        Version::V311 | Version::V5 => Ok(assign()),
    }
}

fn given_id(connect: &Connect<'_>, rules: &Rules) -> Result<ClientId, Refusal> {
    let code = ReasonCode::ClientIdentifierNotValid;
    if connect.client_id.len() > rules.profile.client_id_bytes {
        return refuse(code, "the client ID is longer than 128 bytes");
    }
    if connect.client_id.starts_with('$') && !rules.profile.dollar_client_ids {
        return refuse(code, "the client ID starts with $");
    }
    ClientId::parse(connect.client_id)
        .map_err(|_| Refusal { code, details: "the client ID is not valid" })
}

fn check_will(connect: &Connect<'_>, rules: &Rules) -> Result<(), Refusal> {
    let Some(will) = &connect.will else { return Ok(()) };
    if will.qos > rules.profile.maximum_qos {
        return refuse(
            ReasonCode::QoSNotSupported,
            "the Will asks for a QoS above the Maximum QoS",
        );
    }
    if super::publish::check_topic(will.topic, rules.profile).is_err() {
        return refuse(ReasonCode::TopicNameInvalid, "the Will's topic is not allowed");
    }
    if will.retain && rules.profile.reserved_topics && will.topic.as_str().starts_with('$') {
        return refuse(
            ReasonCode::TopicNameInvalid,
            "the Will asks to be retained on a reserved topic",
        );
    }
    if will.payload.len() > rules.quotas.payload_bytes {
        return refuse(ReasonCode::PacketTooLarge, "the Will's payload is too large");
    }
    Ok(())
}
