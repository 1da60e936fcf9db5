//! What is counted, and how it is told to Prometheus.
//!
//! Written by hand rather than on the crate `prometheus-client`: its families look a label up by
//! hash under a lock at each count, its histograms lock, and it writes OpenMetrics where `/metrics`
//! offers the older text format 0.0.4. Here all values of all labels are known beforehand
//! ([`Label`]), so a count is an index and one addition. Each thread adds to a [`Shard`] of its own, so
//! that cores do not fight for cache lines nor wait for each other; reading adds the shards up.

mod access;
mod histogram;
mod label;
mod process;
mod render;
mod seat;

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::SystemTime;

use engine::close::CloseReason;
use engine::metering;
use engine::outcome::{DirectOutcome, Invalid};
use mqtt::ReasonCode;

use crate::event::{DirectMessage, ShadowOperation, SpanDrop, WebhookDrop};
use crate::metrics::access::Access;
use crate::metrics::histogram::Histogram;
use crate::{Metered, Quota, Status, Verdict};

pub(crate) use label::{Label, label};
pub use render::Gauge;

/// HTTP status codes that can be counted: 100 to 599.
const HTTP_STATUSES: usize = 500;

/// Shards for each core: besides the threads that serve there are a few that seldom count.
const SHARDS_PER_CORE: usize = 4;

/// The counters of the process. All methods may be called from any thread, lock nothing and
/// allocate nothing, but for [`Metrics::render`].
pub struct Metrics {
    /// One for each of the first seats, and one that the threads without share.
    shards: Box<[Shard]>,
    started: SystemTime,
}

/// The counters that one thread adds to (or, the last shard, several). Aligned so that no two share a cache line, nor
/// the pair of lines that processors fetch together.
#[derive(Default)]
#[repr(align(128))]
struct Shard {
    direct_messages: Counters<{ <DirectOutcome as Label>::COUNT }>,
    direct_payload_bytes: AtomicU64,
    direct_delivery: Histogram,
    direct_ack: Histogram,
    direct_dry_runs: Counters<{ <DirectOutcome as Label>::COUNT }>,
    mqtt_received_bytes: AtomicU64,
    mqtt_sent_bytes: AtomicU64,
    http_requests: Counters<HTTP_STATUSES>,
    connects: Counters<{ <Verdict<'_> as Label>::COUNT }>,
    disconnects: Counters<{ <CloseReason as Label>::COUNT }>,
    publish_in: Counters<{ <Verdict<'_> as Label>::COUNT }>,
    publish_out: Counters<{ <Verdict<'_> as Label>::COUNT }>,
    queued: Counters<{ <Verdict<'_> as Label>::COUNT }>,
    subscribes: Counters<{ <Verdict<'_> as Label>::COUNT }>,
    unsubscribes: Counters<{ <Verdict<'_> as Label>::COUNT }>,
    throttled: Counters<{ <Quota as Label>::COUNT }>,
    authn_errors: Counters<{ AUTHN_REASONS.len() }>,
    registry_reloads: Counters<{ <Status as Label>::COUNT }>,
    shadow_accepted: Counters<{ <ShadowOperation as Label>::COUNT }>,
    shadow_rejected: Counters<{ <ShadowOperation as Label>::COUNT }>,
    webhook_attempts: Counters<{ <Status as Label>::COUNT }>,
    webhook_dropped: Counters<{ <WebhookDrop as Label>::COUNT }>,
    spans_exported: AtomicU64,
    spans_dropped: Counters<{ <SpanDrop as Label>::COUNT }>,
    metered: Counters<{ <Metered as Label>::COUNT }>,
    log_entries_dropped: AtomicU64,
    log_write_errors: AtomicU64,
    log_entries_not_kept: AtomicU64,
}

impl Shard {
    #[inline]
    fn meter(&self, what: Metered, bytes: usize, access: Access) {
        access.add(&self.metered.0[what.slot()], metering::units(bytes));
    }
}

/// A counter for each value of a label, or for each HTTP status.
struct Counters<const N: usize>([AtomicU64; N]);

impl<const N: usize> Default for Counters<N> {
    fn default() -> Self {
        Counters(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl<const N: usize> Counters<N> {
    fn add(&self, slot: usize, access: Access) {
        access.add(&self.0[slot], 1);
    }
}

/// The words of spec 8.2 for a failed authentication, custom authorizers left out; the last is for
/// every other. Words rather than an enum: whoever proves identities owns them.
const AUTHN_REASONS: [&str; 12] = [
    "DEVICE_CERTIFICATE_INACTIVE",
    "DEVICE_CERTIFICATE_NOT_REGISTERED",
    "DEVICE_CERTIFICATE_REVOKED",
    "DOMAIN_CONFIGURATION_DISABLED",
    "DOMAIN_CONFIGURATION_INVALID",
    "INTERNAL_SERVER_ERROR",
    "NOT_AUTHENTICATED",
    "SECURITY_TOKEN_EXPIRED",
    "SECURITY_TOKEN_INVALID",
    "SECURITY_TOKEN_SIGNATURE_MISMATCH",
    "SNI_MISUSED",
    "OTHER",
];

impl Metrics {
    /// All zero.
    pub(crate) fn new() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let own = (SHARDS_PER_CORE * cores).min(seat::SEATS);
        Metrics {
            shards: (0..=own).map(|_| Shard::default()).collect(),
            started: SystemTime::now(),
        }
    }

    /// This thread's shard.
    #[inline]
    fn shard(&self) -> (&Shard, Access) {
        let (seat, shared) = (seat::number(), self.shards.len() - 1);
        if seat < shared {
            (&self.shards[seat], Access::Alone)
        } else {
            (&self.shards[shared], Access::Shared)
        }
    }

    /// Bytes read from devices, MQTT only (after TLS and WebSocket framing).
    pub fn mqtt_received(&self, bytes: usize) {
        let (shard, access) = self.shard();
        access.add(&shard.mqtt_received_bytes, bytes as u64);
    }

    /// Bytes written to devices, MQTT only (before TLS and WebSocket framing).
    pub fn mqtt_sent(&self, bytes: usize) {
        let (shard, access) = self.shard();
        access.add(&shard.mqtt_sent_bytes, bytes as u64);
    }

    /// An HTTP request answered with that status. A status outside 100 to 599 counts as 500.
    pub fn http_request(&self, status: u16) {
        let known = if (100..600).contains(&status) { status } else { 500 };
        let (shard, access) = self.shard();
        shard.http_requests.add(usize::from(known) - 100, access);
    }

    /// A message, which is measured by that many bytes, was taken or sent. Events count theirs
    /// themselves; this is for what has no event.
    #[inline]
    pub fn metered(&self, what: Metered, bytes: usize) {
        let (shard, access) = self.shard();
        shard.meter(what, bytes, access);
    }

    /// Something was turned away or slowed down by a quota. Events count theirs themselves; this is
    /// for what has no event.
    pub fn throttled(&self, quota: Quota) {
        let (shard, access) = self.shard();
        shard.throttled.add(quota.slot(), access);
    }

    /// Devices connected now.
    pub fn connections(&self) -> u64 {
        let total = |counts: &dyn Fn(&Shard) -> u64| self.shards.iter().map(counts).sum::<u64>();
        let accepted =
            total(&|shard| shard.connects.0[Verdict::Success.slot()].load(Ordering::Relaxed));
        let ended =
            total(&|shard| shard.disconnects.0.iter().map(|c| c.load(Ordering::Relaxed)).sum());
        accepted.saturating_sub(ended)
    }

    pub(crate) fn direct_message(&self, message: &DirectMessage<'_>) {
        let (shard, access) = self.shard();
        shard.direct_messages.add(message.outcome.slot(), access);
        access.add(&shard.direct_payload_bytes, message.payload_bytes as u64);
        if let Some(delivery) = message.delivery {
            shard.direct_delivery.observe(delivery, access);
            // What a repetition repeats was counted. What got to no device is no message.
            if message.repeats.is_none() {
                let what = Metered::direct(message.confirmation);
                shard.meter(what, message.metered_bytes, access);
            }
        }
        if let Some(ack) = message.ack {
            shard.direct_ack.observe(ack, access);
        }
    }

    pub(crate) fn direct_message_dry_run(&self, outcome: &DirectOutcome) {
        let (shard, access) = self.shard();
        shard.direct_dry_runs.add(outcome.slot(), access);
    }

    pub(crate) fn connect(&self, verdict: &Verdict<'_>) {
        self.verdict(verdict, |shard| &shard.connects);
    }

    pub(crate) fn disconnect(&self, reason: CloseReason) {
        let (shard, access) = self.shard();
        shard.disconnects.add(reason.slot(), access);
    }

    pub(crate) fn publish_in(&self, verdict: &Verdict<'_>, bytes: usize) {
        let (shard, access) = self.verdict(verdict, |shard| &shard.publish_in);
        if *verdict == Verdict::Success {
            shard.meter(Metered::PublishIn, bytes, access);
        }
    }

    pub(crate) fn publish_out(&self, verdict: &Verdict<'_>, bytes: usize) {
        let (shard, access) = self.verdict(verdict, |shard| &shard.publish_out);
        if *verdict == Verdict::Success {
            shard.meter(Metered::PublishOut, bytes, access);
        }
    }

    pub(crate) fn queued(&self, verdict: &Verdict<'_>) {
        self.verdict(verdict, |shard| &shard.queued);
    }

    pub(crate) fn subscribe(&self, verdict: &Verdict<'_>) {
        self.verdict(verdict, |shard| &shard.subscribes);
    }

    pub(crate) fn unsubscribe(&self, verdict: &Verdict<'_>) {
        self.verdict(verdict, |shard| &shard.unsubscribes);
    }

    /// Counts the verdict, and the quota if one was the ground; gives where.
    fn verdict(
        &self,
        verdict: &Verdict<'_>,
        counters: impl Fn(&Shard) -> &Counters<{ <Verdict<'_> as Label>::COUNT }>,
    ) -> (&Shard, Access) {
        let (shard, access) = self.shard();
        counters(shard).add(verdict.slot(), access);
        if let Some(quota) = verdict.quota() {
            shard.throttled.add(quota.slot(), access);
        }
        (shard, access)
    }

    pub(crate) fn shadow_request(&self, operation: ShadowOperation, status: Status) {
        let (shard, access) = self.shard();
        match status {
            Status::Success => shard.shadow_accepted.add(operation.slot(), access),
            Status::Failure => shard.shadow_rejected.add(operation.slot(), access),
        }
    }

    pub(crate) fn authn_error(&self, reason: &str) {
        let other = AUTHN_REASONS.len() - 1;
        let slot = AUTHN_REASONS.iter().position(|known| *known == reason).unwrap_or(other);
        let (shard, access) = self.shard();
        shard.authn_errors.add(slot, access);
    }

    pub(crate) fn registry_reload(&self, status: Status) {
        let (shard, access) = self.shard();
        shard.registry_reloads.add(status.slot(), access);
    }

    /// A receipt was posted to the webhook, with success or without.
    pub fn webhook_attempt(&self, status: Status) {
        let (shard, access) = self.shard();
        shard.webhook_attempts.add(status.slot(), access);
    }

    /// A receipt will not be delivered to the webhook.
    pub fn webhook_dropped(&self, why: WebhookDrop) {
        let (shard, access) = self.shard();
        shard.webhook_dropped.add(why.slot(), access);
    }

    /// So many spans were exported.
    pub fn spans_exported(&self, spans: usize) {
        let (shard, access) = self.shard();
        access.add(&shard.spans_exported, spans as u64);
    }

    /// So many spans will not be exported.
    pub fn spans_dropped(&self, why: SpanDrop, spans: usize) {
        let (shard, access) = self.shard();
        access.add(&shard.spans_dropped.0[why.slot()], spans as u64);
    }

    pub(crate) fn log_entry_dropped(&self) {
        let (shard, access) = self.shard();
        access.add(&shard.log_entries_dropped, 1);
    }

    pub(crate) fn log_entries_not_kept(&self, entries: u64) {
        let (shard, access) = self.shard();
        access.add(&shard.log_entries_not_kept, entries);
    }

    pub(crate) fn log_write_error(&self) {
        let (shard, access) = self.shard();
        access.add(&shard.log_write_errors, 1);
    }
}

label!(DirectOutcome, |outcome: &DirectOutcome| outcome.label(), {
    Acknowledged: DirectOutcome::Acknowledged => DirectOutcome::Acknowledged,
    Dispatched: DirectOutcome::Dispatched => DirectOutcome::Dispatched,
    ClientId: DirectOutcome::Invalid(Invalid::ClientId(_))
        => DirectOutcome::Invalid(Invalid::ClientId(String::new())),
    Topic: DirectOutcome::Invalid(Invalid::Topic(_))
        => DirectOutcome::Invalid(Invalid::Topic(String::new())),
    Confirmation: DirectOutcome::Invalid(Invalid::Confirmation(_))
        => DirectOutcome::Invalid(Invalid::Confirmation(String::new())),
    Timeout: DirectOutcome::Invalid(Invalid::Timeout(_))
        => DirectOutcome::Invalid(Invalid::Timeout(String::new())),
    Mqtt5Property: DirectOutcome::Invalid(Invalid::Mqtt5Property(_))
        => DirectOutcome::Invalid(Invalid::Mqtt5Property(String::new())),
    Request: DirectOutcome::Invalid(Invalid::Request(_))
        => DirectOutcome::Invalid(Invalid::Request(String::new())),
    PayloadTooLarge: DirectOutcome::PayloadTooLarge { .. }
        => DirectOutcome::PayloadTooLarge { limit: 0 },
    SenderUnauthorized: DirectOutcome::SenderUnauthorized => DirectOutcome::SenderUnauthorized,
    ReceiverUnauthorized: DirectOutcome::ReceiverUnauthorized
        => DirectOutcome::ReceiverUnauthorized,
    TargetNotFound: DirectOutcome::TargetNotFound => DirectOutcome::TargetNotFound,
    TargetNotConnected: DirectOutcome::TargetNotConnected => DirectOutcome::TargetNotConnected,
    AccountThrottled: DirectOutcome::AccountThrottled => DirectOutcome::AccountThrottled,
    WaitingRoomFull: DirectOutcome::WaitingRoomFull => DirectOutcome::WaitingRoomFull,
    ReceiverThrottled: DirectOutcome::ReceiverThrottled => DirectOutcome::ReceiverThrottled,
    ReceiverWindowFull: DirectOutcome::ReceiverWindowFull => DirectOutcome::ReceiverWindowFull,
    ReceiverPacketTooLarge: DirectOutcome::ReceiverPacketTooLarge { .. }
        => DirectOutcome::ReceiverPacketTooLarge { limit: 0 },
    ReceiverNotWritable: DirectOutcome::ReceiverNotWritable => DirectOutcome::ReceiverNotWritable,
    ReceiverRejected: DirectOutcome::ReceiverRejected(_)
        => DirectOutcome::ReceiverRejected(ReasonCode::UnspecifiedError),
    ConfirmationTimeout: DirectOutcome::ConfirmationTimeout => DirectOutcome::ConfirmationTimeout,
    DeadlineExceeded: DirectOutcome::DeadlineExceeded => DirectOutcome::DeadlineExceeded,
    ReceiverDisconnected: DirectOutcome::ReceiverDisconnected
        => DirectOutcome::ReceiverDisconnected,
    SenderDisconnected: DirectOutcome::SenderDisconnected => DirectOutcome::SenderDisconnected,
    Responded: DirectOutcome::Responded => DirectOutcome::Responded,
    ResponseTimeout: DirectOutcome::ResponseTimeout => DirectOutcome::ResponseTimeout,
    IdempotencyConflict: DirectOutcome::IdempotencyConflict
        => DirectOutcome::IdempotencyConflict,
    Internal: DirectOutcome::Internal => DirectOutcome::Internal,
});

// AWS's words, of which two reasons of ours share one.
label!(CloseReason, |reason: &CloseReason| reason.disconnect_reason(), {
    ClientInitiated: CloseReason::ClientInitiated { .. }
        => CloseReason::ClientInitiated { with_will: false },
    ClientError: CloseReason::ClientError(_)
        => CloseReason::ClientError(ReasonCode::UnspecifiedError),
    ConnectionLost: CloseReason::ConnectionLost => CloseReason::ConnectionLost,
    TakenOver: CloseReason::TakenOver => CloseReason::TakenOver,
    Forbidden: CloseReason::Forbidden => CloseReason::Forbidden,
    NotInUse: CloseReason::NotInUse(_) => CloseReason::NotInUse(engine::directory::Status::Revoked),
    KeepAliveTimeout: CloseReason::KeepAliveTimeout => CloseReason::KeepAliveTimeout,
    ServerInitiated: CloseReason::WriteStalled | CloseReason::MissedAck | CloseReason::ServerShutdown
        => CloseReason::ServerShutdown,
    ServerError: CloseReason::ServerError | CloseReason::StoreFailed => CloseReason::ServerError,
    WebSocketExpired: CloseReason::WebSocketExpired => CloseReason::WebSocketExpired,
    Deleted: CloseReason::Deleted => CloseReason::Deleted,
});

label!(Status, |status: &Status| status.word(), { Success, Failure });
