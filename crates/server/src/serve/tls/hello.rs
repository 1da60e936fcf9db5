//! The first message of a handshake, which says what the client wants.

use std::io;
use std::sync::Arc;

use reactor::Stream;
use rustls::ServerConfig;
use rustls::server::{Acceptor, ClientHello};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::stream::TlsStream;

/// The most bytes of a ClientHello that are waited for.
const HELLO_BYTES: usize = 64 * 1024;

/// Reads the ClientHello and begins a connection with the configuration that `choose` takes for it.
///
/// # Errors
/// The socket's; or the library's, of which the client has been told.
pub(super) async fn begin(
    mut io: Stream,
    choose: impl FnOnce(&ClientHello<'_>) -> Arc<ServerConfig>,
) -> io::Result<TlsStream> {
    let mut acceptor = Acceptor::default();
    let mut received = Vec::with_capacity(1024);
    let config = loop {
        let before = received.len();
        if before > HELLO_BYTES {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if io.read_buf(&mut received).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut fresh = &received[before..];
        while !fresh.is_empty() {
            acceptor.read_tls(&mut fresh)?;
        }
        match acceptor.accept() {
            Ok(None) => {}
            // The connection proper reads the same bytes again: the library's unbuffered interface
            // has no way to look before it begins.
            Ok(Some(accepted)) => break choose(&accepted.client_hello()),
            Err((error, mut alert)) => {
                let mut bytes = Vec::new();
                alert.write_all(&mut bytes)?;
                io.write_all(&bytes).await?;
                return Err(io::Error::new(io::ErrorKind::InvalidData, error));
            }
        }
    };
    TlsStream::new(io, config, received).map_err(io::Error::other)
}
