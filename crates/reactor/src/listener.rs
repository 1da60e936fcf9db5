//! A socket that accepts.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};

use rustix::net::{SocketFlags, acceptfrom_with};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Accepts connections for reactors: they are in non-blocking mode and known to no runtime.
pub struct Listener(AsyncFd<TcpListener>);

impl Listener {
    /// On the present runtime; the socket is in non-blocking mode.
    ///
    /// # Errors
    /// The system's.
    pub fn new(socket: TcpListener) -> io::Result<Self> {
        #[expect(deprecated, reason = "its successor is unsafe; an owned descriptor does no harm")]
        AsyncFd::with_interest(socket, Interest::READABLE).map(Listener)
    }

    /// The next connection, and where it comes from.
    ///
    /// # Errors
    /// The system's: the peer has gone away already, or descriptors have run out.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let accept = |socket: &TcpListener| {
            let (stream, source) = acceptfrom_with(socket, flags)?;
            let source = source.ok_or(io::ErrorKind::InvalidData)?;
            let source = SocketAddr::try_from(source).map_err(io::Error::from)?;
            Ok((TcpStream::from(stream), source))
        };
        self.0.async_io(Interest::READABLE, accept).await
    }
}
