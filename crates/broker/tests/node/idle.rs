//! A connection that waits for its client takes no turns meanwhile.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use broker::Transport;
use engine::limits::{Bounds, Quotas};
use mqtt::{ReasonCode, Version};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

use crate::device::{Device, Got, Wish, connect_bytes, serve};
use crate::fixture::node_with;

/// A transport that counts how often it is read from.
struct Counted {
    io: DuplexStream,
    reads: Arc<AtomicUsize>,
}

impl Transport for Counted {}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[tokio::test]
async fn a_backlog_behind_a_full_window_keeps_no_thread_busy() {
    let quotas = Quotas { outbound_unacknowledged: 1, ..Quotas::default().without_rates() };
    let node = node_with(quotas, Bounds::default());
    let reads = Arc::new(AtomicUsize::new(0));
    let (ours, theirs) = tokio::io::duplex(64 * 1_024);
    serve(&node, Counted { io: theirs, reads: Arc::clone(&reads) });
    let mut device = Device::over(ours, Version::V5);
    device.write(&connect_bytes("lamp", &Wish::default())).await;
    assert!(matches!(device.next().await, Got::ConnAck { .. }));
    device.subscribe(&["a"]).await;
    let mut other = Device::connect(&node, "other").await;
    for payload in [b"1", b"2"] {
        other.publish("a", payload, Some(1)).await;
        assert_eq!(other.next().await, Got::PubAck(1));
    }
    let id = device.next_id().await;
    device.ping().await;
    let before = reads.load(Ordering::Relaxed);
    for _ in 0..200 {
        other.ping().await;
    }
    let turns = reads.load(Ordering::Relaxed) - before;
    assert!(turns < 20, "{turns} turns while nothing happened");
    device.acknowledge(id, ReasonCode::Success).await;
    device.next_id().await;
}
