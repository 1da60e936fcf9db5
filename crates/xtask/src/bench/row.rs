//! The rows of the table: what is measured, and what is wanted.

use crate::failure::Outcome;

use super::finding::Finding;
use super::lab::Lab;
use super::rows::{
    confirmed, connects, cores, growth, https, latency, memory, offline, policies, pubsub, queue,
    receipts,
};

/// One row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// Confirmed, unsigned.
    Confirmed,
    /// Confirmed, unsigned, as a server is that nobody has configured.
    ConfirmedEveryCore,
    /// Confirmed, signed.
    Signed,
    /// Confirmed, with an idempotency key.
    Keys,
    /// Confirmed, with receipts.
    Receipts,
    /// Confirmed, signed, HTTP/2.
    Http2,
    /// Unconfirmed, signed.
    Unconfirmed,
    /// Confirmed, signed, TLS on both sides.
    Https,
    /// The 99th percentile at half of the highest rate.
    Latency,
    /// Nobody there.
    Offline,
    /// Memory of an idle device.
    MemoryPlain,
    /// Memory of an idle device with mutual TLS.
    MemoryTls,
    /// Connecting and disconnecting.
    ConnectsPlain,
    /// The same with mutual TLS.
    ConnectsTls,
    /// Sessions that are resumed.
    ConnectsSessions,
    /// Pairs of publisher and subscriber.
    PubsubPairs,
    /// The same with QoS 1.
    PubsubPairsQos1,
    /// The same with QoS 2.
    PubsubPairsQos2,
    /// The 99th percentile of pairs with QoS 1 at half of mosquitto's highest rate.
    PubsubPairsLatency,
    /// One publisher, many subscribers.
    PubsubFanout,
    /// The same with QoS 1.
    PubsubFanoutQos1,
    /// The 99th percentiles of each and of the last subscriber at half of mosquitto's highest rate.
    PubsubFanoutLatency,
    /// Messages for sessions that are offline, and their return.
    Queue,
    /// One decision.
    Policies,
    /// Many principals.
    GrowthPrincipals,
    /// Many connections.
    GrowthDevices,
    /// Many sessions in memory.
    GrowthSessions,
    /// One core and two.
    Cores,
}

impl Row {
    /// Every row, in the order of the table.
    pub(super) const ALL: [Self; 28] = [
        Self::Confirmed,
        Self::ConfirmedEveryCore,
        Self::Signed,
        Self::Keys,
        Self::Receipts,
        Self::Http2,
        Self::Unconfirmed,
        Self::Https,
        Self::Latency,
        Self::Offline,
        Self::MemoryPlain,
        Self::MemoryTls,
        Self::ConnectsPlain,
        Self::ConnectsTls,
        Self::ConnectsSessions,
        Self::PubsubPairs,
        Self::PubsubPairsQos1,
        Self::PubsubPairsQos2,
        Self::PubsubPairsLatency,
        Self::PubsubFanout,
        Self::PubsubFanoutQos1,
        Self::PubsubFanoutLatency,
        Self::Queue,
        Self::Policies,
        Self::GrowthPrincipals,
        Self::GrowthDevices,
        Self::GrowthSessions,
        Self::Cores,
    ];

    /// Its name on the command line.
    pub(super) fn slug(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::ConfirmedEveryCore => "confirmed-every-core",
            Self::Signed => "signed",
            Self::Keys => "keys",
            Self::Receipts => "receipts",
            Self::Http2 => "http2",
            Self::Unconfirmed => "unconfirmed",
            Self::Https => "https",
            Self::Latency => "latency",
            Self::Offline => "offline",
            Self::MemoryPlain => "memory-plain",
            Self::MemoryTls => "memory-tls",
            Self::ConnectsPlain => "connects-plain",
            Self::ConnectsTls => "connects-tls",
            Self::ConnectsSessions => "connects-sessions",
            Self::PubsubPairs => "pubsub-pairs",
            Self::PubsubPairsQos1 => "pubsub-pairs-qos1",
            Self::PubsubPairsQos2 => "pubsub-pairs-qos2",
            Self::PubsubPairsLatency => "pubsub-pairs-latency",
            Self::PubsubFanout => "pubsub-fanout",
            Self::PubsubFanoutQos1 => "pubsub-fanout-qos1",
            Self::PubsubFanoutLatency => "pubsub-fanout-latency",
            Self::Queue => "queue",
            Self::Policies => "policies",
            Self::GrowthPrincipals => "growth-principals",
            Self::GrowthDevices => "growth-devices",
            Self::GrowthSessions => "growth-sessions",
            Self::Cores => "cores",
        }
    }

    /// What is measured.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Confirmed => "CPU of a confirmed message, plain HTTP/1.1, no authentication",
            Self::ConfirmedEveryCore => {
                "the same with a thread for each core, which is the default"
            }
            Self::Signed => "confirmed, SigV4 verified, sender's and device's policies evaluated",
            Self::Keys => {
                "CPU of a confirmed message with an idempotency key, durability `batched`"
            }
            Self::Receipts => "CPU of a confirmed message where receipts are kept",
            Self::Http2 => "signed, over one HTTP/2 connection with 64 streams in flight",
            Self::Unconfirmed => "CPU of an unconfirmed message, SigV4, both policies",
            Self::Https => "CPU that TLS adds: HTTPS with SigV4, devices on TLS",
            Self::Latency => {
                "p99 of a confirmed message, 16 senders, open loop at half of the highest rate"
            }
            Self::Offline => "CPU of a 404 for an offline client",
            Self::MemoryPlain => "resident memory of an idle device, plain TCP",
            Self::MemoryTls => "resident memory of an idle device, mutual TLS",
            Self::ConnectsPlain => "CPU of connecting and disconnecting, plain TCP",
            Self::ConnectsTls => "CPU of connecting and disconnecting, mutual TLS with resumption",
            Self::ConnectsSessions => "CPU of resuming a session and leaving it, plain TCP",
            Self::PubsubPairs => "deliveries a CPU second, 1,000 pairs, QoS 0",
            Self::PubsubPairsQos1 => "deliveries a CPU second, 1,000 pairs, QoS 1",
            Self::PubsubPairsQos2 => "deliveries a CPU second, 1,000 pairs, QoS 2",
            Self::PubsubPairsLatency => {
                "p99 of a delivery, 1,000 pairs, QoS 1, open loop at half of mosquitto's highest \
                 rate"
            }
            Self::PubsubFanout => "deliveries a CPU second, one publisher to 1,000, QoS 0",
            Self::PubsubFanoutQos1 => "deliveries a CPU second, one publisher to 1,000, QoS 1",
            Self::PubsubFanoutLatency => {
                "p99 of a delivery, one publisher to 1,000, QoS 1, open loop at half of \
                 mosquitto's highest rate"
            }
            Self::Queue => "messages a CPU second for offline sessions, queued and fetched, QoS 1",
            Self::Policies => "one decision over 10 documents of 20 statements",
            Self::GrowthPrincipals => {
                "CPU of a confirmed, signed message with many other principals"
            }
            Self::GrowthDevices => "CPU of a confirmed message with many devices connected",
            Self::GrowthSessions => {
                "the rules' part of a message with a million sessions in memory"
            }
            Self::Cores => "CPU of a confirmed message on two cores and on one",
        }
    }

    /// What is wanted.
    pub(super) fn goal(self) -> &'static str {
        match self {
            Self::Confirmed | Self::ConfirmedEveryCore => "<= 1.25 x floor",
            Self::Signed => "<= 1.5 x floor",
            Self::Keys => "<= 1.1 x without a key",
            Self::Receipts => "<= 1.1 x with a single receipt",
            Self::Http2 => "<= 1.0 x floor",
            Self::Unconfirmed => "<= 1.1 x floor of the confirmed message",
            Self::Https => "<= 1.3 x what TLS adds to the floor",
            Self::Latency => "<= 1.5 x floor's p99 at the same rate",
            Self::Offline => "<= 0.8 x confirmed; the same with none and with 10,000 connected",
            Self::MemoryPlain => "<= 1,024 bytes",
            Self::MemoryTls => "<= 8,192 bytes",
            Self::ConnectsPlain => "<= 1.3 x floor",
            Self::ConnectsTls
            | Self::ConnectsSessions
            | Self::PubsubPairsQos2
            | Self::PubsubPairsLatency
            | Self::PubsubFanoutQos1
            | Self::PubsubFanoutLatency
            | Self::Queue => "reported",
            Self::PubsubPairs => ">= 4 x mosquitto",
            Self::PubsubPairsQos1 => ">= 6 x mosquitto",
            Self::PubsubFanout => ">= 3 x mosquitto",
            Self::Policies => "< 1 us",
            Self::GrowthPrincipals => "<= 1.15 x with none",
            Self::GrowthDevices => "<= 1.15 x with 1,000",
            Self::GrowthSessions => "<= 1.15 x with 1,000",
            Self::Cores => "two cores <= 1.15 x one core",
        }
    }

    /// How it is measured, beside the commands.
    pub(super) fn note(self) -> &'static str {
        match self {
            Self::Confirmed | Self::ConfirmedEveryCore => {
                "16, 64 and 256 senders, each beside the floor; the worst ratio counts."
            }
            Self::Signed => "16, 64 and 256 senders; the floor's requests are unsigned.",
            Self::Keys => "64 senders, every message with a key of its own, in turns with none.",
            Self::Receipts => {
                "64 senders; two servers in turns, one with `receipts = 1`, one that keeps the \
                 usual number, which is full."
            }
            Self::Http2 => "64 streams of one connection beside the floor with 64 connections.",
            Self::Unconfirmed => {
                "16, 64 and 256 senders beside the floor with as many and PUBACKs."
            }
            Self::Https => {
                "four servers in turns: floor and server, each plain and with TLS, with the same \
                 signed requests."
            }
            Self::Latency => {
                "the highest rate is the server's in a closed loop; latency counts from when a \
                 message was due."
            }
            Self::Offline => "a server with nobody connected, one with 10,000, in turns.",
            Self::MemoryPlain | Self::MemoryTls => {
                "the slope of a fresh server's resident memory over the number of devices."
            }
            Self::ConnectsPlain => "TCP connection, CONNECT, CONNACK, DISCONNECT, close.",
            Self::ConnectsTls => "the same after a handshake, which is resumed but for the first.",
            Self::ConnectsSessions => {
                "as `connects-plain`, with sessions that outlive their connections, begun before \
                 and resumed in turn; beside mosquitto."
            }
            Self::PubsubPairs
            | Self::PubsubPairsQos1
            | Self::PubsubPairsQos2
            | Self::PubsubFanout
            | Self::PubsubFanoutQos1 => {
                "as fast as it goes without loss, each publisher with 16 messages on their way; \
                 mosquitto as Debian has it, without persistence and log, with no bound of what it \
                 queues and 1,000 messages unacknowledged."
            }
            Self::PubsubPairsLatency | Self::PubsubFanoutLatency => {
                "the highest rate is mosquitto's in a closed loop; latency counts from when a \
                 message was due until a subscriber has it."
            }
            Self::Queue => {
                "sessions subscribe to a topic each and go; 10 messages are published for each of \
                 them, until the last PUBACK; then all come back, until the last message. Each \
                 must get every message once and in order. Connecting is part of fetching."
            }
            Self::Policies => "a bench in the process; the slowest decision counts.",
            Self::GrowthPrincipals => {
                "two servers in turns, one with a small registry, one with 1,000 more devices and \
                 senders and a policy for each."
            }
            Self::GrowthDevices => "all are addressed in turn.",
            Self::GrowthSessions => "a bench in the process.",
            Self::Cores => "two servers, one bound to a core; the load generator uses both cores.",
        }
    }

    /// Measures it.
    ///
    /// # Errors
    /// When it cannot be measured.
    pub(super) fn measure(self, lab: &Lab<'_>) -> Outcome<Finding> {
        match self {
            Self::Confirmed => confirmed::measure(lab, &confirmed::UNSIGNED),
            Self::ConfirmedEveryCore => confirmed::measure(lab, &confirmed::ON_EVERY_CORE),
            Self::Signed => confirmed::measure(lab, &confirmed::SIGNED),
            Self::Keys => receipts::measure_keys(lab),
            Self::Receipts => receipts::measure_receipts(lab),
            Self::Http2 => confirmed::measure(lab, &confirmed::HTTP2),
            Self::Unconfirmed => confirmed::measure(lab, &confirmed::UNCONFIRMED),
            Self::Https => https::measure(lab),
            Self::Latency => latency::measure(lab),
            Self::Offline => offline::measure(lab),
            Self::MemoryPlain => memory::measure(lab, "plain", 1_024.0),
            Self::MemoryTls => memory::measure(lab, "tls", 8_192.0),
            Self::ConnectsPlain => connects::measure_plain(lab),
            Self::ConnectsTls => connects::measure_tls(lab),
            Self::ConnectsSessions => connects::measure_sessions(lab),
            Self::PubsubPairs => pubsub::measure(lab, ("pairs", "0"), Some(4.0)),
            Self::PubsubPairsQos1 => pubsub::measure(lab, ("pairs", "1"), Some(6.0)),
            Self::PubsubPairsQos2 => pubsub::measure(lab, ("pairs", "2"), None),
            Self::PubsubPairsLatency => pubsub::measure_pairs_latency(lab),
            Self::PubsubFanout => pubsub::measure(lab, ("fanout", "0"), Some(3.0)),
            Self::PubsubFanoutQos1 => pubsub::measure(lab, ("fanout", "1"), None),
            Self::PubsubFanoutLatency => pubsub::measure_fanout_latency(lab),
            Self::Queue => queue::measure(lab),
            Self::Policies => policies::measure(lab),
            Self::GrowthPrincipals => growth::measure_principals(lab),
            Self::GrowthDevices => growth::measure_devices(lab),
            Self::GrowthSessions => growth::measure_sessions(lab),
            Self::Cores => cores::measure(lab),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_row_has_a_name_of_its_own() {
        let slugs: BTreeSet<&str> = Row::ALL.iter().map(|row| row.slug()).collect();
        assert_eq!(slugs.len(), Row::ALL.len());
    }
}
