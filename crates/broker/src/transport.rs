//! What carries MQTT bytes: TCP, TLS, WebSocket.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use reactor::Ready;
use tokio::io::{AsyncRead, AsyncWrite};

/// A byte stream to a client. An implementation must be able to be polled for writing from any
/// thread, with any waker: senders write to a device's connection themselves.
pub trait Transport: AsyncRead + AsyncWrite + Send + Unpin {
    /// Hears what a turn of the reactor brought. A transport of the runtime has its own ways to
    /// know.
    fn note_ready(&mut self, ready: Ready) {
        let _ = ready;
    }

    /// Whether another read may give something at once. One that says no tells of more by a turn.
    fn may_have_more(&self) -> bool {
        true
    }

    /// How many bytes it has produced for the peer since the beginning, those included that it still
    /// holds itself; none if it does not know. (TLS makes more of them than it is given.)
    fn produced(&self) -> Option<u64> {
        None
    }

    /// How many of these the peer's TCP has not acknowledged; none if that is not known.
    fn unacknowledged(&self) -> Option<u64> {
        None
    }

    /// The address that the client connected to; none if it does not know. Asked for now and then
    /// rather than kept, which every idle connection would pay for.
    fn local_address(&self) -> Option<SocketAddr> {
        None
    }

    /// Says goodbye, right before the transport is dropped.
    ///
    /// # Errors
    /// That of the transport; it is over all the same.
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self).poll_shutdown(cx)
    }
}

impl Transport for reactor::Stream {
    fn note_ready(&mut self, ready: Ready) {
        reactor::Stream::note_ready(self, ready);
    }

    fn may_have_more(&self) -> bool {
        reactor::Stream::may_have_more(self)
    }

    fn produced(&self) -> Option<u64> {
        Some(self.written())
    }

    fn unacknowledged(&self) -> Option<u64> {
        reactor::Stream::unacknowledged(self)
    }

    fn local_address(&self) -> Option<SocketAddr> {
        reactor::Stream::local_address(self)
    }

    /// Dropping a TCP connection closes it.
    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Transport for tokio::io::DuplexStream {}
