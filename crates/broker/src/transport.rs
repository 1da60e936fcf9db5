//! What carries MQTT bytes: TCP, TLS, WebSocket.

use tokio::io::{AsyncRead, AsyncWrite};

/// A byte stream to a client. An implementation must be able to be polled for writing from any
/// task, with any waker: senders write to a device's connection themselves.
pub trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}
