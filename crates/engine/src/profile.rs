//! The two sets of MQTT rules (spec section 12.13): data, not conditions in the code.

use std::ops::RangeInclusive;
use std::time::Duration;

use mqtt::QoS;

use crate::limits::{
    CLIENT_ID_BYTES, MESSAGE_EXPIRY_SECONDS, OperationRates, Quotas, TOPIC_BYTES, TOPIC_SLASHES,
};
use crate::rate::Rate;

/// A set of MQTT rules.
#[derive(Debug)]
pub struct Profile {
    /// `aws` or `standard`.
    pub name: &'static str,
    /// The quotas that hold unless the configuration has others.
    pub quotas: Quotas,
    /// Least keep-alive in seconds; a shorter one is raised to it.
    pub keep_alive_min: u16,
    /// Most keep-alive in seconds, and what 0 becomes; `None` takes the client's.
    pub keep_alive_max: Option<u16>,
    /// Longest client ID, in bytes.
    pub client_id_bytes: usize,
    /// Whether a client ID may start with `$`.
    pub dollar_client_ids: bool,
    /// Longest topic, in bytes.
    pub topic_bytes: usize,
    /// Longest filter, in bytes.
    pub filter_bytes: usize,
    /// Most `/` in a topic or filter.
    pub topic_slashes: usize,
    /// Longest name of a shared subscription, in bytes.
    pub share_name_bytes: usize,
    /// Whether `sensor/#` also matches `sensor`.
    pub multi_level_matches_parent: bool,
    /// Smallest Maximum Packet Size a client may announce, in bytes.
    pub maximum_packet_size_min: u32,
    /// Maximum Packet Size announced to clients, in bytes (spec 0: 146 KB).
    pub maximum_packet_size: u32,
    /// Topic Alias Maximum announced to clients.
    pub topic_alias_maximum: u16,
    /// Most topic aliases used towards a client that allows them.
    pub outbound_topic_aliases: u16,
    /// Highest quality of service.
    pub maximum_qos: QoS,
    /// Whether clients may name the subscription by an identifier.
    pub subscription_identifiers: bool,
    /// Whether a filter with wildcards, too, gets retained messages when it is subscribed.
    pub retained_on_wildcards: bool,
    /// Whether topics that start with `$` are reserved to the server.
    pub reserved_topics: bool,
    /// Whether lifecycle events are published, and the version numbers in them counted (spec 4.7).
    pub lifecycle_events: bool,
    /// The lives a message may have, in seconds; others are cut to it.
    pub message_expiry_seconds: RangeInclusive<u32>,
    /// Whether a message that is sent again carries DUP ([MQTT-3.3.1-1]).
    pub dup_on_redelivery: bool,
    /// After how long without a PUBACK a message is sent again on the same connection.
    pub resend_after: Option<Duration>,
    /// Whether a connection refused for lack of permission is closed without a CONNACK on 3.1.1.
    pub silent_refusal_v311: bool,
    /// How long a client ID stays known without a session: its rate limit and the version number of
    /// its events outlive its connection.
    pub remembered: Duration,
}

/// AWS's rates of the operations on connections, each (spec 7).
const OPERATION: OperationRates =
    OperationRates { account: Some(Rate::per_second(100)), per_client: Some(Rate::per_second(1)) };

/// MQTT as AWS IoT Core speaks it (spec sections 4 and 7).
pub const AWS: Profile = Profile {
    name: "aws",
    quotas: Quotas {
        send_direct_message: Some(Rate::per_second(20_000)),
        publishes_per_connection: Some(Rate::per_second(100)),
        connects_per_client: Some(Rate { per_second: 1, burst: 10 }),
        connects: Some(Rate::per_second(3_000)),
        inbound_publishes: Some(Rate::per_second(20_000)),
        outbound_publishes: Some(Rate::per_second(20_000)),
        subscribes: Some(Rate::per_second(3_000)),
        throughput_per_connection: Some(512 * 1024),
        connections: 500_000,
        payload_bytes: 128 * 1024,
        outbound_unacknowledged: 100,
        inbound_unacknowledged: 100,
        filters_per_subscribe: 8,
        subscriptions_per_session: 50,
        session_expiry_seconds: 3_600,
        websocket_life: Duration::from_secs(86_400),
        queued_messages: 100_000,
        queued_bytes: 64 << 20,
        queued: Some(Rate::per_second(500)),
        dequeued_per_connection: Some(Rate::per_second(10)),
        retained_messages: 500_000,
        retained_publishes: Some(Rate::per_second(500)),
        retained_publish_interval: Some(Duration::from_secs(1)),
        shared_groups: 100,
        members_per_shared_group: 100,
        get_connection: OPERATION,
        delete_connection: OPERATION,
        list_subscriptions: OPERATION,
        control_requests: Some(Rate::per_second(500)),
        shadow_requests: Some(Rate::per_second(4_000)),
        requests_per_shadow: Some(Rate::per_second(20)),
        shadow_requests_in_flight: 10,
    },
    keep_alive_min: 30,
    keep_alive_max: Some(1_200),
    client_id_bytes: CLIENT_ID_BYTES,
    dollar_client_ids: false,
    topic_bytes: TOPIC_BYTES,
    filter_bytes: TOPIC_BYTES,
    topic_slashes: TOPIC_SLASHES,
    share_name_bytes: 128,
    multi_level_matches_parent: false,
    maximum_packet_size_min: 512,
    maximum_packet_size: 146 * 1024,
    topic_alias_maximum: 8,
    outbound_topic_aliases: 8,
    maximum_qos: QoS::AtLeastOnce,
    subscription_identifiers: false,
    retained_on_wildcards: false,
    reserved_topics: true,
    lifecycle_events: true,
    message_expiry_seconds: MESSAGE_EXPIRY_SECONDS,
    dup_on_redelivery: false,
    resend_after: Some(Duration::from_secs(30)),
    silent_refusal_v311: true,
    remembered: Duration::from_secs(3_600),
};

/// MQTT as the standards have it. The quotas are what protects a server, not what a contract says.
pub const STANDARD: Profile = Profile {
    name: "standard",
    quotas: Quotas {
        publishes_per_connection: None,
        connects_per_client: None,
        inbound_publishes: None,
        outbound_publishes: None,
        throughput_per_connection: None,
        payload_bytes: 16 << 20,
        filters_per_subscribe: 4_096,
        subscriptions_per_session: 100_000,
        session_expiry_seconds: u32::MAX,
        queued: None,
        dequeued_per_connection: None,
        retained_publishes: None,
        retained_publish_interval: None,
        shared_groups: 1_000_000,
        members_per_shared_group: 100_000,
        control_requests: None,
        shadow_requests: None,
        requests_per_shadow: None,
        shadow_requests_in_flight: 10_000,
        ..AWS.quotas
    },
    keep_alive_min: 0,
    keep_alive_max: None,
    client_id_bytes: 65_535,
    dollar_client_ids: true,
    topic_bytes: 65_535,
    filter_bytes: 65_535,
    topic_slashes: 200,
    share_name_bytes: 65_535,
    multi_level_matches_parent: true,
    maximum_packet_size_min: 1,
    maximum_packet_size: 17 << 20,
    topic_alias_maximum: 64,
    outbound_topic_aliases: 64,
    maximum_qos: QoS::ExactlyOnce,
    subscription_identifiers: true,
    retained_on_wildcards: true,
    reserved_topics: false,
    lifecycle_events: false,
    message_expiry_seconds: 0..=u32::MAX,
    dup_on_redelivery: true,
    resend_after: None,
    silent_refusal_v311: false,
    remembered: Duration::from_secs(15),
};

impl Profile {
    /// The profile of that name: `aws` or `standard`.
    pub fn by_name(name: &str) -> Option<&'static Profile> {
        [&AWS, &STANDARD].into_iter().find(|profile| profile.name == name)
    }

    /// The keep-alive granted for the one requested, in seconds; 0 is none.
    pub fn keep_alive(&self, requested: u16) -> u16 {
        match self.keep_alive_max {
            Some(max) if requested == 0 || requested > max => max,
            Some(_) | None if requested == 0 => 0,
            Some(_) | None => requested.max(self.keep_alive_min),
        }
    }

    /// The life granted for the one requested, in seconds.
    pub fn message_expiry(&self, requested: u32) -> u32 {
        requested.clamp(*self.message_expiry_seconds.start(), *self.message_expiry_seconds.end())
    }
}
