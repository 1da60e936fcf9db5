//! The two sets of MQTT rules, as data.

use crate::limits::{CLIENT_ID_BYTES, TOPIC_BYTES, TOPIC_SLASHES};

/// Where MQTT as AWS speaks it differs from MQTT as the standards have it (spec section 4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name in the configuration.
    pub name: &'static str,
    /// Shortest keep-alive granted, in seconds; shorter requests are raised (AWS: 30).
    pub keep_alive_min: u16,
    /// Longest keep-alive granted, in seconds; longer requests and 0 are cut to it. `None` lets a
    /// client switch keep-alive off.
    pub keep_alive_max: Option<u16>,
    /// Longest client ID, in bytes.
    pub client_id_bytes: usize,
    /// Whether a client ID may start with `$`.
    pub dollar_client_ids: bool,
    /// Longest topic or filter, in bytes.
    pub topic_bytes: usize,
    /// Most `/` in a topic or filter.
    pub topic_slashes: usize,
    /// Whether `sensor/#` also matches `sensor`.
    pub multi_level_matches_parent: bool,
    /// Smallest Maximum Packet Size a client may announce, in bytes.
    pub maximum_packet_size_min: u32,
    /// Maximum Packet Size announced to clients, in bytes (spec 0: 146 KB).
    pub maximum_packet_size: u32,
    /// Topic Alias Maximum announced to clients.
    pub topic_alias_maximum: u16,
    /// Whether clients may name the subscription by an identifier.
    pub subscription_identifiers: bool,
    /// Whether topics that start with `$` are reserved to the server.
    pub reserved_topics: bool,
    /// Whether a connection refused for lack of permission is closed without a CONNACK on 3.1.1.
    pub silent_refusal_v311: bool,
}

/// MQTT as AWS IoT Core speaks it.
pub const AWS: Profile = Profile {
    name: "aws",
    keep_alive_min: 30,
    keep_alive_max: Some(1_200),
    client_id_bytes: CLIENT_ID_BYTES,
    dollar_client_ids: false,
    topic_bytes: TOPIC_BYTES,
    topic_slashes: TOPIC_SLASHES,
    multi_level_matches_parent: false,
    maximum_packet_size_min: 512,
    maximum_packet_size: 146 * 1024,
    topic_alias_maximum: 8,
    subscription_identifiers: false,
    reserved_topics: true,
    silent_refusal_v311: true,
};

/// MQTT as the standards have it.
pub const STANDARD: Profile = Profile {
    name: "standard",
    keep_alive_min: 0,
    keep_alive_max: None,
    client_id_bytes: 65_535,
    dollar_client_ids: true,
    topic_bytes: 65_535,
    topic_slashes: 200,
    multi_level_matches_parent: true,
    maximum_packet_size_min: 1,
    maximum_packet_size: 268_435_455,
    topic_alias_maximum: 8,
    subscription_identifiers: false,
    reserved_topics: false,
    silent_refusal_v311: false,
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
}
