//! Every bound of the server, with its source.
//!
//! Two kinds: [`Quotas`] are those of the contract, of which each
//! [profile](crate::profile::Profile) has its own and which a configuration may change; [`Bounds`]
//! protect this process and its peers.

use std::time::Duration;

use crate::rate::Rate;

/// Longest client ID, in bytes (spec 1.2: 128 bytes of UTF-8).
pub const CLIENT_ID_BYTES: usize = 128;
/// Longest topic, in bytes (spec 5).
pub const TOPIC_BYTES: usize = 256;
/// Most `/` in a topic, that is 8 levels (spec 5).
pub const TOPIC_SLASHES: usize = 7;
/// Shortest and longest time to wait for a confirmation, in seconds (spec 1.2).
pub const CONFIRMATION_SECONDS: std::ops::RangeInclusive<u64> = 1..=15;
/// Time to wait for a confirmation when the sender names none, in seconds (spec 1.2).
pub const CONFIRMATION_SECONDS_DEFAULT: u64 = 5;
/// Longest MQTT 5 content type, in bytes (spec 7).
pub const CONTENT_TYPE_BYTES: usize = 256;
/// Most correlation data, in bytes (spec 7).
pub const CORRELATION_DATA_BYTES: usize = 8 * 1024;
/// Most user properties of one message, keys and values together, in bytes (spec 7).
pub const USER_PROPERTIES_BYTES: usize = 8 * 1024;

/// Shortest and longest life of a message, in seconds (spec 4.3).
pub const MESSAGE_EXPIRY_SECONDS: std::ops::RangeInclusive<u32> = 1..=604_800;
/// Shortest and longest deadline of a direct message, in milliseconds (ours): a week, as MQTT 5
/// messages live in AWS.
pub const DEADLINE_MILLIS: std::ops::RangeInclusive<u64> = 1..=604_800_000;
/// Shortest and longest wait for a device that is not connected, in milliseconds (ours).
pub const WAIT_ONLINE_MILLIS: std::ops::RangeInclusive<u64> = 1..=60_000;

/// How long a sender may wait for a device's response, in milliseconds (`x-tenfour-response-timeout-ms`).
pub const RESPONSE_TIMEOUT_MILLIS: std::ops::RangeInclusive<u64> = 1..=60_000;

/// How long it waits if it does not say.
pub const RESPONSE_TIMEOUT_MILLIS_DEFAULT: u64 = 5_000;

/// Bytes of responses that are kept for repeated requests, of all messages together.
pub const KEPT_RESPONSE_BYTES: usize = 64 * 1024 * 1024;
/// Longest idempotency key, in bytes (ours).
pub const IDEMPOTENCY_KEY_BYTES: usize = 128;
/// Most clients that one request may send a message to, patterns expanded (ours).
pub const TARGETS: usize = 10_000;
/// Most patterns among them (ours): each is compared with every connected client.
pub const TARGET_PATTERNS: usize = 100;
/// Most wildcards in one of these (ours): what stands between them is looked for in every client ID.
pub const TARGET_WILDCARDS: usize = 8;
/// How many of them may be under way at once, as a sender may choose (ours).
pub const TARGETS_AT_ONCE: std::ops::RangeInclusive<u64> = 1..=1024;
/// How many are when it does not choose (ours).
pub const TARGETS_AT_ONCE_DEFAULT: u64 = 256;
/// How many bodies of messages to many, each of the largest size, have room at once beyond what every
/// body may have (ours): nobody has proved who it is before its body is there.
pub const LARGE_BODIES: usize = 64;
/// How many of one address have (ours).
pub const LARGE_BODIES_OF_A_PEER: usize = 16;
/// Most client IDs, or beginnings of them, whose receipts one reader gets (ours).
pub const RECEIPT_PATTERNS: usize = 16;

/// Clients of which it is remembered at a time that an operation was called for them (ours).
pub const CLIENTS_WITH_RATES: usize = 4_096;

/// The quotas of the contract: each profile has its own (spec section 7 for `aws`), which a
/// configuration may change. A rate of `None` is unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas {
    /// SendDirectMessage calls of the whole account.
    pub send_direct_message: Option<Rate>,
    /// Publishes of one connection, in and out together, direct messages included.
    pub publishes_per_connection: Option<Rate>,
    /// CONNECTs of one client ID. The sustained rate is AWS's; the burst is ours.
    pub connects_per_client: Option<Rate>,
    /// CONNECTs of the whole account.
    pub connects: Option<Rate>,
    /// Publishes by devices, and by senders over HTTP, of the whole account.
    pub inbound_publishes: Option<Rate>,
    /// Publishes to devices of the whole account, direct messages not included.
    pub outbound_publishes: Option<Rate>,
    /// Filters subscribed of the whole account.
    pub subscribes: Option<Rate>,
    /// Bytes a second of one connection, each way; beyond it a connection is slowed down.
    pub throughput_per_connection: Option<u32>,
    /// Connections of the whole account.
    pub connections: usize,
    /// Bytes of a message's payload.
    pub payload_bytes: usize,
    /// QoS 1 messages to one device that wait for its PUBACK.
    pub outbound_unacknowledged: u16,
    /// QoS 1 messages of one device that wait for our PUBACK (our Receive Maximum).
    pub inbound_unacknowledged: u16,
    /// Filters in one SUBSCRIBE.
    pub filters_per_subscribe: usize,
    /// Subscriptions of one session.
    pub subscriptions_per_session: usize,
    /// Longest life of a session without a connection, in seconds.
    pub session_expiry_seconds: u32,
    /// Life of a WebSocket connection.
    pub websocket_life: Duration,
    /// Messages that wait for one session; beyond it the newest is discarded.
    pub queued_messages: usize,
    /// Bytes of the messages that wait for one session, as they are in memory.
    pub queued_bytes: usize,
    /// Messages queued for sessions without a connection, of the whole account.
    pub queued: Option<Rate>,
    /// Queued messages sent to one connection.
    pub dequeued_per_connection: Option<Rate>,
    /// Retained messages of the whole account.
    pub retained_messages: usize,
    /// Publishes with RETAIN of the whole account.
    pub retained_publishes: Option<Rate>,
    /// Least time between two publishes with RETAIN on one topic.
    pub retained_publish_interval: Option<Duration>,
    /// Shared subscriptions of the whole account: names together with filters.
    pub shared_groups: usize,
    /// Members of one shared subscription.
    pub members_per_shared_group: usize,
    /// Requests to the control plane of the whole account. AWS has a rate for each operation; one
    /// for all is ours.
    pub control_requests: Option<Rate>,
    /// Requests to shadows of the whole account.
    pub shadow_requests: Option<Rate>,
    /// Requests to one shadow.
    pub requests_per_shadow: Option<Rate>,
    /// Requests of one connection to the shadows of one thing that are not answered yet.
    pub shadow_requests_in_flight: usize,
    /// GetConnection calls.
    pub get_connection: OperationRates,
    /// DeleteConnection calls.
    pub delete_connection: OperationRates,
    /// ListSubscriptions calls.
    pub list_subscriptions: OperationRates,
}

/// The rates of an operation on a client that a sender names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperationRates {
    /// Of the whole account.
    pub account: Option<Rate>,
    /// For each client.
    pub per_client: Option<Rate>,
}

impl OperationRates {
    /// No limit.
    pub const NONE: OperationRates = OperationRates { account: None, per_client: None };
}

impl Default for Quotas {
    /// Those of the `aws` profile.
    fn default() -> Self {
        crate::profile::AWS.quotas
    }
}

impl Quotas {
    /// Takes away every rate (for load tests); sizes and windows stay.
    pub fn without_rates(self) -> Self {
        Quotas {
            send_direct_message: None,
            publishes_per_connection: None,
            connects_per_client: None,
            connects: None,
            inbound_publishes: None,
            outbound_publishes: None,
            subscribes: None,
            throughput_per_connection: None,
            queued: None,
            dequeued_per_connection: None,
            retained_publishes: None,
            retained_publish_interval: None,
            get_connection: OperationRates::NONE,
            delete_connection: OperationRates::NONE,
            list_subscriptions: OperationRates::NONE,
            control_requests: None,
            shadow_requests: None,
            requests_per_shadow: None,
            ..self
        }
    }
}

/// What protects this process from its peers. Ours, not AWS's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Time for a TLS handshake.
    pub tls_handshake: Duration,
    /// Time from the accepted connection (or its handshake) to a whole CONNECT.
    pub connect_packet: Duration,
    /// Time for the head of an HTTP request.
    pub http_head: Duration,
    /// Time for the body of an HTTP request.
    pub http_body: Duration,
    /// Time an HTTP connection may stay without a request.
    pub http_idle: Duration,
    /// Bytes of an HTTP request's head.
    pub http_head_bytes: usize,
    /// Requests in flight on one HTTP/2 connection.
    pub http2_streams: u32,
    /// Bytes waiting to be written to one device; beyond it the connection is not writable.
    pub outbound_buffer_bytes: usize,
    /// Time a device may leave bytes unread before its connection is closed.
    pub write_stall: Duration,
    /// Time until a connection ends whose peer does not answer any more, however long its keep-alive.
    pub dead_peer: Duration,
    /// Whether the connection of a device ends that leaves a confirmed message unacknowledged.
    pub close_on_missed_ack: bool,
    /// Connections of all listeners together, handshakes and HTTP included.
    pub sockets: usize,
    /// Time between SIGTERM and the end.
    pub drain: Duration,
    /// How long it is known what became of a confirmed message, and which request repeats it.
    pub receipt_life: Duration,
    /// Of how many messages at most that is known.
    pub receipts: usize,
    /// Bytes of the direct messages that wait for their clients to connect.
    pub waiting_bytes: usize,
    /// How many may read receipts as they happen at a time.
    pub receipt_readers: usize,
    /// How many changes of messages readers may be behind, or come back for.
    pub receipt_events: usize,
    /// Receipts that wait for the webhook, those that are to be tried again among them.
    pub webhook_queue: usize,
    /// Spans that wait to be exported.
    pub trace_queue: usize,
    /// How long it is known when and why a connection ended. AWS's are 30 minutes (spec 2.2).
    pub departure_life: Duration,
    /// Of how many clients at most that is known.
    pub departures: usize,
    /// Bytes that this may take.
    pub departure_bytes: usize,
    /// Bytes of log entries waiting for the disk.
    pub log_buffer_bytes: usize,
    /// Bytes of the messages that wait for all sessions together, as they are in memory.
    pub queue_bytes: usize,
    /// Bytes of all shadows together, as they are in memory.
    pub shadow_bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds {
            tls_handshake: Duration::from_secs(10),
            connect_packet: Duration::from_secs(10),
            http_head: Duration::from_secs(10),
            http_body: Duration::from_secs(20),
            http_idle: Duration::from_secs(75),
            http_head_bytes: 64 * 1024,
            http2_streams: 256,
            outbound_buffer_bytes: 512 * 1024,
            write_stall: Duration::from_secs(30),
            dead_peer: Duration::from_secs(30),
            close_on_missed_ack: false,
            sockets: 600_000,
            drain: Duration::from_secs(20),
            receipt_life: Duration::from_secs(900),
            receipts: 200_000,
            waiting_bytes: 64 * 1024 * 1024,
            receipt_readers: 100,
            receipt_events: 10_000,
            webhook_queue: 10_000,
            trace_queue: 20_000,
            departure_life: Duration::from_secs(1_800),
            departures: 200_000,
            departure_bytes: 64 * 1024 * 1024,
            log_buffer_bytes: 64 * 1024 * 1024,
            queue_bytes: 4 << 30,
            shadow_bytes: 1 << 30,
        }
    }
}
