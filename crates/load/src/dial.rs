//! TCP connections from many source addresses.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU8, Ordering};

use client::Endpoint;
use tokio::net::{TcpSocket, TcpStream};

/// Opens connections to one endpoint.
///
/// To a loopback address they come from 127.0.0.1 to 127.0.0.254 in turn. From one address there are
/// about 28,000 ports for each destination, and the kernel searches ever longer for a free one: the
/// connection number 19,000 takes a millisecond of CPU, and connections that have just been closed
/// count too.
pub(crate) struct Dial {
    endpoint: Endpoint,
    loopback: Option<Ipv4Addr>,
    turn: AtomicU8,
}

impl Dial {
    /// To `endpoint`.
    pub(crate) fn new(endpoint: Endpoint) -> Self {
        let loopback = endpoint.host().parse().ok().filter(Ipv4Addr::is_loopback);
        Self { endpoint, loopback, turn: AtomicU8::new(0) }
    }

    /// Where connections go.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Opens one.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) async fn connect(&self) -> io::Result<TcpStream> {
        let port = self.endpoint.port();
        let stream = match self.loopback {
            None => TcpStream::connect((self.endpoint.host(), port)).await?,
            Some(address) => {
                let socket = TcpSocket::new_v4()?;
                socket.bind(SocketAddr::from((self.source(), 0)))?;
                socket.connect(SocketAddr::from((address, port))).await?
            }
        };
        // Each message is one small write that nothing follows until it is answered.
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// The next address in turn; 127.0.0.0 and 127.0.0.255 are none.
    fn source(&self) -> Ipv4Addr {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        Ipv4Addr::new(127, 0, 0, turn.clamp(1, 254))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn loopback_connections_come_from_many_addresses() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dial = Dial::new(listener.local_addr().unwrap().to_string().parse().unwrap());
        let mut sources = BTreeSet::new();
        for _ in 0..600 {
            let (connected, accepted) = tokio::join!(dial.connect(), listener.accept());
            connected.unwrap();
            sources.insert(accepted.unwrap().1.ip());
        }
        assert_eq!(sources.len(), 254);
    }

    #[test]
    fn other_addresses_are_left_to_the_system() {
        for host in ["localhost:1", "192.0.2.1:1"] {
            assert!(Dial::new(host.parse().unwrap()).loopback.is_none(), "{host}");
        }
    }
}
