//! A connection in a reactor, with or without TLS.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use broker::Transport;
use reactor::{Ready, Stream, Turn};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::tls::TlsStream;

/// A TCP connection of a reactor, with or without TLS.
pub(super) enum Wire {
    Plain(Stream),
    /// Boxed: it is a hundred times larger.
    Tls(Box<TlsStream>),
}

impl Wire {
    /// Leaves the reactor for the present runtime.
    ///
    /// # Errors
    /// The system's; the connection is lost then.
    pub(super) fn leave(&mut self, turn: &Turn<'_, '_>) -> io::Result<()> {
        match self {
            Wire::Plain(stream) => stream.leave(turn),
            Wire::Tls(stream) => stream.socket().leave(turn),
        }
    }
}

impl Transport for Wire {
    fn note_ready(&mut self, ready: Ready) {
        match self {
            Wire::Plain(stream) => stream.note_ready(ready),
            Wire::Tls(stream) => stream.socket().note_ready(ready),
        }
    }

    fn may_have_more(&self) -> bool {
        match self {
            Wire::Plain(stream) => stream.may_have_more(),
            Wire::Tls(stream) => stream.may_have_more(),
        }
    }

    fn produced(&self) -> Option<u64> {
        match self {
            Wire::Plain(stream) => Some(stream.written()),
            Wire::Tls(stream) => Some(stream.produced()),
        }
    }

    fn unacknowledged(&self) -> Option<u64> {
        match self {
            Wire::Plain(stream) => stream.unacknowledged(),
            Wire::Tls(stream) => stream.unacknowledged(),
        }
    }

    fn local_address(&self) -> Option<SocketAddr> {
        match self {
            Wire::Plain(stream) => stream.local_address(),
            Wire::Tls(stream) => stream.local_address(),
        }
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            // Dropping a TCP connection closes it.
            Wire::Plain(_) => Poll::Ready(Ok(())),
            Wire::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Wire::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Wire::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Wire::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Wire::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Wire::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Wire::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Wire::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Wire::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
