//! The quotas that can turn something away.

use crate::metrics::label;

/// A quota that turned something away or slowed it down; its word is the name of the quota in
/// [`engine::limits::Quotas`] or [`engine::limits::Bounds`] and in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quota {
    /// SendDirectMessage calls of the account.
    SendDirectMessage,
    /// Publishes of one connection, in and out together.
    PublishesPerConnection,
    /// CONNECTs of one client ID.
    ConnectsPerClient,
    /// CONNECTs of the account.
    Connects,
    /// Publishes by devices and senders of the account.
    InboundPublishes,
    /// Publishes to devices of the account.
    OutboundPublishes,
    /// Filters subscribed of the account.
    Subscribes,
    /// Bytes a second of one connection.
    ThroughputPerConnection,
    /// Connections of the account.
    Connections,
    /// QoS 1 messages to one device that wait for its PUBACK.
    OutboundUnacknowledged,
    /// Messages queued for sessions without a connection, of the account.
    Queued,
    /// Messages that wait for one session, or their bytes.
    QueuedMessages,
    /// Publishes with RETAIN.
    RetainedPublishes,
    /// Retained messages of the account.
    RetainedMessages,
    /// GetConnection calls of the account.
    GetConnection,
    /// GetConnection calls about one client.
    GetConnectionPerClient,
    /// DeleteConnection calls of the account.
    DeleteConnection,
    /// DeleteConnection calls about one client.
    DeleteConnectionPerClient,
    /// ListSubscriptions calls of the account.
    ListSubscriptions,
    /// ListSubscriptions calls about one client.
    ListSubscriptionsPerClient,
    /// Requests to the control plane.
    ControlRequests,
    /// Requests to shadows of the account.
    ShadowRequests,
    /// Requests to one shadow.
    RequestsPerShadow,
    /// Requests of one connection to the shadows of one thing that are not answered yet.
    ShadowRequestsInFlight,
    /// Bytes of all shadows.
    ShadowBytes,
}

impl Quota {
    /// The name of the quota.
    pub fn word(self) -> &'static str {
        match self {
            Quota::SendDirectMessage => "send_direct_message",
            Quota::PublishesPerConnection => "publishes_per_connection",
            Quota::ConnectsPerClient => "connects_per_client",
            Quota::Connects => "connects",
            Quota::InboundPublishes => "inbound_publishes",
            Quota::OutboundPublishes => "outbound_publishes",
            Quota::Subscribes => "subscribes",
            Quota::ThroughputPerConnection => "throughput_per_connection",
            Quota::Connections => "connections",
            Quota::OutboundUnacknowledged => "outbound_unacknowledged",
            Quota::Queued => "queued",
            Quota::QueuedMessages => "queued_messages",
            Quota::RetainedPublishes => "retained_publishes",
            Quota::RetainedMessages => "retained_messages",
            Quota::GetConnection => "get_connection",
            Quota::GetConnectionPerClient => "get_connection_per_client",
            Quota::DeleteConnection => "delete_connection",
            Quota::DeleteConnectionPerClient => "delete_connection_per_client",
            Quota::ListSubscriptions => "list_subscriptions",
            Quota::ListSubscriptionsPerClient => "list_subscriptions_per_client",
            Quota::ControlRequests => "control_requests",
            Quota::ShadowRequests => "shadow_requests",
            Quota::RequestsPerShadow => "requests_per_shadow",
            Quota::ShadowRequestsInFlight => "shadow_requests_in_flight",
            Quota::ShadowBytes => "shadow_bytes",
        }
    }
}

label!(Quota, |quota: &Quota| quota.word(), {
    SendDirectMessage,
    PublishesPerConnection,
    ConnectsPerClient,
    Connects,
    InboundPublishes,
    OutboundPublishes,
    Subscribes,
    ThroughputPerConnection,
    Connections,
    OutboundUnacknowledged,
    Queued,
    QueuedMessages,
    RetainedPublishes,
    RetainedMessages,
    GetConnection,
    GetConnectionPerClient,
    DeleteConnection,
    DeleteConnectionPerClient,
    ListSubscriptions,
    ListSubscriptionsPerClient,
    ControlRequests,
    ShadowRequests,
    RequestsPerShadow,
    ShadowRequestsInFlight,
    ShadowBytes,
});
