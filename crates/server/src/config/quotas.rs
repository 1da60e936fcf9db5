//! The `[quotas]` and `[limits]` tables.

use std::ops::RangeInclusive;
use std::time::Duration;

use engine::limits::{Bounds, OperationRates, Quotas};
use engine::rate::Rate;

use super::document::{Table, Value};

/// Rates count in microseconds, so that more than this is no limit at all.
const RATES: RangeInclusive<u64> = 1..=1_000_000;
/// MQTT's longest packet; no payload can be longer.
const MQTT_BYTES: u64 = 268_435_455;
const WINDOW: RangeInclusive<u64> = 1..=u16::MAX as u64;
const BYTES: RangeInclusive<u64> = 1..=1 << 40;
const COUNTS: RangeInclusive<u64> = 1..=u32::MAX as u64;
const SHORT_TIMES: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(3_600);
/// The kernel counts probes in whole seconds, and takes no more than 32767.
const DEAD_PEERS: RangeInclusive<Duration> = Duration::from_secs(2)..=Duration::from_secs(32_767);
const LONG_TIMES: RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(10 * 365 * 86_400);

/// Reads the `[quotas]` table: names as in [`Quotas`], those of the profile for what is absent.
pub(super) fn read_quotas(mut table: Table<'_>, default: &Quotas) -> Quotas {
    let table = &mut table;
    let without_rates = table.get("unlimited").and_then(|value| value.boolean());
    let rates = read_rates(table, default);
    let quotas = read_sizes(table, &rates);
    if without_rates == Some(true) { quotas.without_rates() } else { quotas }
}

/// Reads those that say how much of something there may be in a time.
fn read_rates(table: &mut Table<'_>, default: &Quotas) -> Quotas {
    Quotas {
        send_direct_message: rate(table, "send_direct_message", default.send_direct_message),
        publishes_per_connection: rate(
            table,
            "publishes_per_connection",
            default.publishes_per_connection,
        ),
        connects_per_client: rate(table, "connects_per_client", default.connects_per_client),
        connects: rate(table, "connects", default.connects),
        inbound_publishes: rate(table, "inbound_publishes", default.inbound_publishes),
        outbound_publishes: rate(table, "outbound_publishes", default.outbound_publishes),
        subscribes: rate(table, "subscribes", default.subscribes),
        throughput_per_connection: match table.get("throughput_per_connection") {
            Some(value) if value.is_text() => {
                unlimited(&value).map_or(default.throughput_per_connection, |Unlimited| None)
            }
            Some(value) => narrow(value.integer(COUNTS)).or(default.throughput_per_connection),
            None => default.throughput_per_connection,
        },
        queued: rate(table, "queued", default.queued),
        dequeued_per_connection: rate(
            table,
            "dequeued_per_connection",
            default.dequeued_per_connection,
        ),
        retained_publishes: rate(table, "retained_publishes", default.retained_publishes),
        retained_publish_interval: match table.get("retained_publish_interval") {
            Some(value) if value.is_text() => {
                unlimited(&value).map_or(default.retained_publish_interval, |Unlimited| None)
            }
            Some(value) => value.seconds(SHORT_TIMES).or(default.retained_publish_interval),
            None => default.retained_publish_interval,
        },
        get_connection: operation(
            table,
            ["get_connection", "get_connection_per_client"],
            default.get_connection,
        ),
        delete_connection: operation(
            table,
            ["delete_connection", "delete_connection_per_client"],
            default.delete_connection,
        ),
        list_subscriptions: operation(
            table,
            ["list_subscriptions", "list_subscriptions_per_client"],
            default.list_subscriptions,
        ),
        control_requests: rate(table, "control_requests", default.control_requests),
        shadow_requests: rate(table, "shadow_requests", default.shadow_requests),
        requests_per_shadow: rate(table, "requests_per_shadow", default.requests_per_shadow),
        ..*default
    }
}

/// Reads those that say how much of something there may be at all.
fn read_sizes(table: &mut Table<'_>, default: &Quotas) -> Quotas {
    Quotas {
        connections: number(table, "connections", COUNTS, default.connections),
        payload_bytes: number(table, "payload_bytes", 1..=MQTT_BYTES, default.payload_bytes),
        outbound_unacknowledged: number(
            table,
            "outbound_unacknowledged",
            WINDOW,
            default.outbound_unacknowledged,
        ),
        inbound_unacknowledged: number(
            table,
            "inbound_unacknowledged",
            WINDOW,
            default.inbound_unacknowledged,
        ),
        filters_per_subscribe: number(
            table,
            "filters_per_subscribe",
            WINDOW,
            default.filters_per_subscribe,
        ),
        subscriptions_per_session: number(
            table,
            "subscriptions_per_session",
            COUNTS,
            default.subscriptions_per_session,
        ),
        session_expiry_seconds: number(
            table,
            "session_expiry_seconds",
            0..=u64::from(u32::MAX),
            default.session_expiry_seconds,
        ),
        websocket_life: time(table, "websocket_life", LONG_TIMES, default.websocket_life),
        queued_messages: number(table, "queued_messages", COUNTS, default.queued_messages),
        queued_bytes: number(table, "queued_bytes", BYTES, default.queued_bytes),
        retained_messages: number(table, "retained_messages", COUNTS, default.retained_messages),
        shared_groups: number(table, "shared_groups", COUNTS, default.shared_groups),
        members_per_shared_group: number(
            table,
            "members_per_shared_group",
            COUNTS,
            default.members_per_shared_group,
        ),
        shadow_requests_in_flight: number(
            table,
            "shadow_requests_in_flight",
            COUNTS,
            default.shadow_requests_in_flight,
        ),
        ..*default
    }
}

/// Reads the `[limits]` table: names as in [`Bounds`], defaults for what is absent.
pub(super) fn read_bounds(mut table: Table<'_>) -> Bounds {
    let table = &mut table;
    let default = Bounds::default();
    let buffer = 16 * 1_024..=1 << 30;
    Bounds {
        tls_handshake: time(table, "tls_handshake", SHORT_TIMES, default.tls_handshake),
        connect_packet: time(table, "connect_packet", SHORT_TIMES, default.connect_packet),
        http_head: time(table, "http_head", SHORT_TIMES, default.http_head),
        http_body: time(table, "http_body", SHORT_TIMES, default.http_body),
        http_idle: time(table, "http_idle", SHORT_TIMES, default.http_idle),
        http_head_bytes: number(table, "http_head_bytes", 8_192..=1 << 20, default.http_head_bytes),
        http2_streams: number(table, "http2_streams", WINDOW, default.http2_streams),
        outbound_buffer_bytes: number(
            table,
            "outbound_buffer_bytes",
            buffer.clone(),
            default.outbound_buffer_bytes,
        ),
        write_stall: time(table, "write_stall", SHORT_TIMES, default.write_stall),
        dead_peer: time(table, "dead_peer", DEAD_PEERS, default.dead_peer),
        close_on_missed_ack: table
            .get("close_on_missed_ack")
            .and_then(|value| value.boolean())
            .unwrap_or(default.close_on_missed_ack),
        sockets: number(table, "sockets", COUNTS, default.sockets),
        drain: time(table, "drain", Duration::ZERO..=*SHORT_TIMES.end(), default.drain),
        receipt_life: time(table, "receipt_life", LONG_TIMES, default.receipt_life),
        receipts: number(table, "receipts", COUNTS, default.receipts),
        waiting_bytes: number(table, "waiting_bytes", BYTES, default.waiting_bytes),
        receipt_readers: number(table, "receipt_readers", COUNTS, default.receipt_readers),
        receipt_events: number(table, "receipt_events", COUNTS, default.receipt_events),
        webhook_queue: number(table, "webhook_queue", COUNTS, default.webhook_queue),
        trace_queue: number(table, "trace_queue", COUNTS, default.trace_queue),
        departure_life: time(table, "departure_life", LONG_TIMES, default.departure_life),
        departures: number(table, "departures", COUNTS, default.departures),
        departure_bytes: number(table, "departure_bytes", BYTES, default.departure_bytes),
        log_buffer_bytes: number(table, "log_buffer_bytes", buffer, default.log_buffer_bytes),
        queue_bytes: number(table, "queue_bytes", BYTES, default.queue_bytes),
        shadow_bytes: number(table, "shadow_bytes", BYTES, default.shadow_bytes),
    }
}

/// Reads the rates of an operation: of the account, and for each client.
fn operation(
    table: &mut Table<'_>,
    [account, per_client]: [&'static str; 2],
    default: OperationRates,
) -> OperationRates {
    OperationRates {
        account: rate(table, account, default.account),
        per_client: rate(table, per_client, default.per_client),
    }
}

/// Reads a rate: a number a second, `{ per_second, burst }`, or `"unlimited"`.
fn rate(table: &mut Table<'_>, key: &'static str, default: Option<Rate>) -> Option<Rate> {
    let Some(value) = table.get(key) else { return default };
    if value.is_text() {
        return unlimited(&value).map_or(default, |Unlimited| None);
    }
    if !value.is_table() {
        return narrow(value.integer(RATES)).map(Rate::per_second).or(default);
    }
    let mut table = value.table();
    let per_second = table.require("per_second", "per_second = 100");
    let per_second = narrow(per_second.and_then(|value| value.integer(RATES)));
    let burst = narrow(table.get("burst").and_then(|value| value.integer(RATES)));
    let rate = |per_second| Rate { per_second, burst: burst.unwrap_or(per_second) };
    per_second.map(rate).or(default)
}

/// The word for no limit, as a value that was written.
struct Unlimited;

/// Reads the word for no limit.
fn unlimited(value: &Value<'_>) -> Option<Unlimited> {
    if value.text()? == "unlimited" {
        return Some(Unlimited);
    }
    value.expected("a whole number or \"unlimited\"");
    None
}

/// Reads a whole number.
fn number<T: TryFrom<u64> + Copy>(
    table: &mut Table<'_>,
    key: &'static str,
    range: RangeInclusive<u64>,
    default: T,
) -> T {
    narrow(table.get(key).and_then(|value| value.integer(range))).unwrap_or(default)
}

/// Reads a duration in seconds.
fn time(
    table: &mut Table<'_>,
    key: &'static str,
    range: RangeInclusive<Duration>,
    default: Duration,
) -> Duration {
    table.get(key).and_then(|value: Value<'_>| value.seconds(range)).unwrap_or(default)
}

/// A number that its range keeps within `T`.
fn narrow<T: TryFrom<u64>>(number: Option<u64>) -> Option<T> {
    number.and_then(|number| T::try_from(number).ok())
}
