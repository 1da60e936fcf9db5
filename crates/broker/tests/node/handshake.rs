//! The first packet: CONNECT, in time and in order.

use std::time::{Duration, Instant};

use engine::limits::{Bounds, Quotas};
use engine::rate::Rate;
use mqtt::{ReasonCode, Version};

use crate::device::{Device, Got, Wish, connect_bytes, open};
use crate::fixture::{node, node_with};

async fn refusal_of(bytes: &[u8], version: Version) -> Got {
    let mut device = Device::over(open(&node(), 4_096), version);
    device.write(bytes).await;
    device.next().await
}

#[tokio::test]
async fn a_client_that_says_nothing_or_half_a_connect_is_closed_in_time() {
    let limit = Duration::from_millis(80);
    let bounds = Bounds { connect_packet: limit, ..Bounds::default() };
    let node = node_with(Quotas::default(), bounds);
    let connect = connect_bytes("lamp", &Wish::default());
    for beginning in [&[][..], &connect[..1], &connect[..connect.len() - 1]] {
        let begun = Instant::now();
        let mut device = Device::over(open(&node, 4_096), Version::V5);
        device.write(beginning).await;
        assert_eq!(device.next().await, Got::End);
        assert!(begun.elapsed() >= limit);
    }
    assert_eq!(node.connected(), 0);
}

#[tokio::test]
async fn anything_but_a_connect_closes_the_connection() {
    for bytes in [&[0xC0, 0][..], &[0x30, 5], b"GET / HTTP/1.1\r\n\r\n", &[0x16, 3, 1], &[0xFF]] {
        assert_eq!(refusal_of(bytes, Version::V5).await, Got::End, "{bytes:x?}");
    }
}

#[tokio::test]
async fn malformed_and_oversized_connects_close_the_connection() {
    let huge = [0x10, 0xFF, 0xFF, 0xFF, 0x7F];
    let endless = [0x10, 0xFF, 0xFF, 0xFF, 0xFF];
    let mut name = connect_bytes("lamp", &Wish::default());
    name[4] = b'X';
    let mut flags = connect_bytes("lamp", &Wish::default());
    flags[9] |= 1;
    for bytes in [&huge[..], &endless, &name, &flags] {
        assert_eq!(refusal_of(bytes, Version::V5).await, Got::End, "{bytes:x?}");
    }
}

#[tokio::test]
async fn another_protocol_version_is_told_so() {
    let mut bytes = connect_bytes("lamp", &Wish { version: Version::V311, ..Wish::default() });
    bytes[8] = 3;
    let reason = ReasonCode::UnsupportedProtocolVersion;
    let told = Got::ConnAck { session_present: false, reason };
    assert_eq!(refusal_of(&bytes, Version::V311).await, told);
}

#[tokio::test]
async fn refusals_carry_the_reason_and_close() {
    let bytes = connect_bytes("$lamp", &Wish::default());
    let mut device = Device::over(open(&node(), 4_096), Version::V5);
    device.write(&bytes).await;
    let reason = ReasonCode::ClientIdentifierNotValid;
    assert_eq!(device.next().await, Got::ConnAck { session_present: false, reason });
    assert_eq!(device.next().await, Got::End);
}

#[tokio::test]
async fn a_client_that_connects_too_often_is_turned_away() {
    let rate = Some(Rate { per_second: 1, burst: 2 });
    let quotas = Quotas { connects_per_client: rate, ..Quotas::default().without_rates() };
    let node = node_with(quotas, Bounds::default());
    let _first = Device::connect(&node, "lamp").await;
    let mut second = Device::connect(&node, "lamp").await;
    let mut third = Device::over(open(&node, 4_096), Version::V5);
    third.write(&connect_bytes("lamp", &Wish::default())).await;
    let reason = ReasonCode::QuotaExceeded;
    assert_eq!(third.next().await, Got::ConnAck { session_present: false, reason });
    second.ping().await;
    Device::connect(&node, "other").await.ping().await;
}

#[tokio::test]
async fn bytes_that_are_no_packet_end_an_established_connection_with_the_reason() {
    let node = node();
    let large = [0x30, 0x80, 0x80, 0x80, 0x01];
    for (bytes, code) in [
        (&[0x00, 0x00][..], ReasonCode::MalformedPacket),
        (&large, ReasonCode::PacketTooLarge),
        (&connect_bytes("lamp", &Wish::default()), ReasonCode::ProtocolError),
    ] {
        let mut device = Device::connect(&node, "lamp").await;
        device.write(bytes).await;
        assert_eq!(device.next().await, Got::Disconnect(code), "{bytes:x?}");
        assert_eq!(device.next().await, Got::End);
    }
}
