//! Devices that read or write slowly, or not at all.

use std::time::Duration;

use engine::limits::{Bounds, Quotas};
use engine::outcome::DirectOutcome;
use mqtt::{ReasonCode, Version};

use crate::device::{Device, Got, Wish, connect_bytes, open};
use crate::fixture::{confirm, eventually, node, node_with, send};

const LONG: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_device_that_stops_reading_is_refused_more_and_others_go_on() {
    let bounds = Bounds { outbound_buffer_bytes: 16 * 1024, ..Bounds::default() };
    let node = node_with(Quotas::default().without_rates(), bounds);
    let wish = Wish { pipe: 1_024, ..Wish::default() };
    let (mut stuck, _) = Device::connect_with(&node, "stuck", wish).await;
    let mut well = Device::connect(&node, "well").await;
    let payload = vec![7; 1_000];
    let mut taken = 0_u32;
    let mut last = DirectOutcome::Dispatched;
    while last == DirectOutcome::Dispatched {
        assert!(taken < 100, "what waits for one device has a bound");
        last = send(&node, "stuck", &payload);
        taken += u32::from(last == DirectOutcome::Dispatched);
    }
    assert_eq!(last, DirectOutcome::ReceiverNotWritable);
    assert!(taken >= 15, "the bound is {} bytes", 16 * 1024);

    let sending = confirm(&node, "well", LONG);
    let answering = async {
        let id = well.next_id().await;
        well.acknowledge(id, ReasonCode::Success).await;
    };
    let ((outcome, _), ()) = tokio::join!(sending, answering);
    assert_eq!(outcome, DirectOutcome::Acknowledged);

    // It reads again: everything taken arrives whole and in order, and there is room again.
    for _ in 0..taken {
        let expected =
            Got::Publish { topic: "commands/reboot".into(), payload: payload.clone(), id: None };
        assert_eq!(stuck.next().await, expected);
    }
    eventually(|| send(&node, "stuck", b"on") == DirectOutcome::Dispatched).await;
}

#[tokio::test]
async fn a_device_that_never_reads_again_is_closed() {
    let bounds = Bounds { write_stall: Duration::from_millis(100), ..Bounds::default() };
    let node = node_with(Quotas::default().without_rates(), bounds);
    let wish = Wish { pipe: 256, ..Wish::default() };
    let (_stuck, _) = Device::connect_with(&node, "stuck", wish).await;
    assert_eq!(send(&node, "stuck", &[7; 2_000]), DirectOutcome::Dispatched);
    eventually(|| node.connected() == 0).await;
    assert_eq!(send(&node, "stuck", b""), DirectOutcome::TargetNotFound);
}

#[tokio::test]
async fn a_device_that_reads_slowly_reads() {
    let bounds = Bounds { write_stall: Duration::from_millis(400), ..Bounds::default() };
    let node = node_with(Quotas::default().without_rates(), bounds);
    let (mut slow, _) =
        Device::connect_with(&node, "slow", Wish { pipe: 64, ..Wish::default() }).await;
    assert_eq!(send(&node, "slow", &[7; 2_000]), DirectOutcome::Dispatched);
    // Longer in all than what may pass without a byte.
    for _ in 0..16 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        slow.read_some(64).await;
    }
    assert!(matches!(slow.next().await, Got::Publish { payload, .. } if payload == [7; 2_000]));
}

#[tokio::test]
async fn a_device_may_dribble_one_byte_at_a_time() {
    let node = node();
    let mut device = Device::over(open(&node, 4_096), Version::V5);
    for byte in connect_bytes("lamp", &Wish::default()) {
        device.write(&[byte]).await;
        tokio::task::yield_now().await;
    }
    assert!(matches!(device.next().await, Got::ConnAck { reason: ReasonCode::Success, .. }));
    for byte in [0xC0, 0, 0x30, 6, 0, 1, b'a', 0, b'o', b'n', 0xC0, 0] {
        device.write(&[byte]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(device.next().await, Got::Pong);
    assert_eq!(device.next().await, Got::Pong);
}

#[tokio::test]
async fn what_comes_together_with_the_connect_is_dealt_with() {
    let node = node();
    let mut device = Device::over(open(&node, 4_096), Version::V5);
    let mut bytes = connect_bytes("lamp", &Wish::default());
    bytes.extend([0xC0, 0, 0xC0]);
    device.write(&bytes).await;
    assert!(matches!(device.next().await, Got::ConnAck { .. }));
    assert_eq!(device.next().await, Got::Pong);
    device.write(&[0]).await;
    assert_eq!(device.next().await, Got::Pong);
}
