//! TLS on a connection of the reactor, with buffers that belong to the thread.
//!
//! The usual interface of the TLS library keeps a read buffer of 4 KiB with every connection for as
//! long as it lives, which is more than everything else an idle connection needs. Its unbuffered
//! interface leaves buffers to the caller; here a connection holds bytes only of a record that has
//! come in part, or that the socket or the reader did not take yet.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use reactor::Stream;
use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncodeTlsData, EncryptError};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How much is read at once, with what came of a record before: more than the largest record.
const SCRATCH_BYTES: usize = 64 * 1024;

/// How much is encrypted at once.
const PLAIN_BYTES: usize = 32 * 1024;

/// More than encrypting adds to that: a header, a type and a tag for each record of 16 KiB, and a
/// key update.
const ADDED_BYTES: usize = 512;

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; SCRATCH_BYTES]);
}

/// The server's side of a TLS connection.
pub(in crate::serve) struct TlsStream {
    io: Stream,
    tls: UnbufferedServerConnection,
    /// What came of a record that is not whole.
    received: Vec<u8>,
    /// Records that the socket did not take yet.
    unsent: Vec<u8>,
    /// What nobody has asked for yet.
    plain: Vec<u8>,
    phase: Phase,
    /// The peer will say nothing more.
    ended: bool,
}

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Handshake,
    Established,
    /// Our close_notify is on its way.
    Closing,
}

impl TlsStream {
    /// A connection of which `received` has been read already.
    ///
    /// # Errors
    /// The library's, for a configuration it cannot use.
    pub(super) fn new(
        io: Stream,
        config: Arc<ServerConfig>,
        received: Vec<u8>,
    ) -> Result<Self, rustls::Error> {
        Ok(TlsStream {
            io,
            tls: UnbufferedServerConnection::new(config)?,
            received,
            unsent: Vec::new(),
            plain: Vec::new(),
            phase: Phase::Handshake,
            ended: false,
        })
    }

    /// The socket, to tell it about turns.
    pub(in crate::serve) fn socket(&mut self) -> &mut Stream {
        &mut self.io
    }

    /// The client's certificate, once the handshake is over.
    pub(super) fn peer_certificate(&self) -> Option<&CertificateDer<'static>> {
        self.tls.peer_certificates()?.first()
    }

    /// Whether a read may give something at once.
    pub(in crate::serve) fn may_have_more(&self) -> bool {
        !self.plain.is_empty() || self.ended || self.io.may_have_more()
    }

    /// How many bytes were made for the peer, those included that the socket did not take yet.
    pub(in crate::serve) fn produced(&self) -> u64 {
        self.io.written() + self.unsent.len() as u64
    }

    /// How many of them the peer's TCP has not acknowledged.
    pub(in crate::serve) fn unacknowledged(&self) -> Option<u64> {
        Some(self.io.unacknowledged()? + self.unsent.len() as u64)
    }

    /// The address that the client connected to.
    pub(in crate::serve) fn local_address(&self) -> Option<SocketAddr> {
        self.io.local_address()
    }

    /// Goes on with the handshake until it is over and its last bytes are sent.
    pub(super) fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // What came with the ClientHello, if nothing was dealt with yet.
        self.process_received(cx)?;
        loop {
            ready!(self.poll_send(cx))?;
            if self.phase == Phase::Established {
                return Poll::Ready(Ok(()));
            }
            if self.ended {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            ready!(self.poll_receive(cx, None))?;
        }
    }

    /// Reads once and deals with what came. Ready when something did, or the end.
    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        plain: Option<&mut ReadBuf<'_>>,
    ) -> Poll<io::Result<()>> {
        SCRATCH.with_borrow_mut(|scratch| {
            let before = self.received.len();
            if before >= scratch.len() {
                return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
            }
            let mut buffer = ReadBuf::new(&mut scratch[before..]);
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer))?;
            let length = buffer.filled().len();
            if length == 0 {
                self.ended = true;
                return Poll::Ready(Ok(()));
            }
            scratch[..before].copy_from_slice(&self.received);
            Poll::Ready(self.process_all(cx, &mut scratch[..before + length], plain))
        })
    }

    /// Deals with what came before.
    fn process_received(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let mut received = std::mem::take(&mut self.received);
        self.process_all(cx, &mut received, None)
    }

    /// Deals with the whole records of `incoming` and keeps the rest. A failure has an alert for the
    /// peer.
    fn process_all(
        &mut self,
        cx: &mut Context<'_>,
        incoming: &mut [u8],
        plain: Option<&mut ReadBuf<'_>>,
    ) -> io::Result<()> {
        let mut done = 0;
        let processed = self.process(incoming, &mut done, plain);
        if let Err(error) = processed {
            // The connection fails with the error that came first, whatever becomes of the alert.
            self.take_alert(&mut incoming[done..]);
            let _ = self.poll_send(cx);
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
        self.received = incoming[done..].to_vec();
        Ok(())
    }

    /// Has the library encode the alert of a failure, and asks it for nothing more: the same input
    /// would fail again.
    fn take_alert(&mut self, incoming: &mut [u8]) {
        loop {
            match self.tls.process_tls_records(incoming).state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while traffic.next_record().is_some() {}
                }
                Ok(ConnectionState::EncodeTlsData(data)) => {
                    // Without it the peer learns less.
                    let _ = encode(data, &mut self.unsent);
                    return;
                }
                Ok(_) | Err(_) => return,
            }
        }
    }

    /// Deals with the whole records of `incoming` from `done` on, and moves `done` behind what is
    /// dealt with. The library remembers how far it has looked at what is left, so it must be given
    /// that again, whatever it is asked next. Plaintext goes to `plain` as far as there is room.
    fn process(
        &mut self,
        incoming: &mut [u8],
        done: &mut usize,
        mut plain: Option<&mut ReadBuf<'_>>,
    ) -> Result<(), rustls::Error> {
        loop {
            let status = self.tls.process_tls_records(&mut incoming[*done..]);
            let mut discard = status.discard;
            let handled = match status.state {
                Ok(state) => {
                    let plain = plain.as_deref_mut();
                    let sinks = Sinks { plain, rest: &mut self.plain, unsent: &mut self.unsent };
                    handle(state, sinks, &mut discard)
                }
                Err(error) => Err(error),
            };
            *done += discard;
            match handled? {
                Handled::More => {}
                Handled::PeerClosed => self.ended = true,
                Handled::Idle => return Ok(()),
                Handled::Established => {
                    if self.phase == Phase::Handshake {
                        self.phase = Phase::Established;
                    }
                    return Ok(());
                }
            }
        }
    }

    /// Sends what is waiting to be sent.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut sent = 0;
        while sent < self.unsent.len() {
            match Pin::new(&mut self.io).poll_write(cx, &self.unsent[sent..]) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(length)) => sent += length,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.unsent.drain(..sent);
                    return Poll::Pending;
                }
            }
        }
        self.unsent = Vec::new();
        Poll::Ready(Ok(()))
    }

    /// Encrypts with `encrypt` and sends; what the socket does not take is kept.
    fn seal(
        &mut self,
        cx: &mut Context<'_>,
        encrypt: impl FnOnce(&mut Self, &mut [u8]) -> io::Result<usize>,
    ) -> io::Result<()> {
        SCRATCH.with_borrow_mut(|scratch| {
            let length = encrypt(self, scratch)?;
            let mut sent = 0;
            // Behind records that wait already there is no way past.
            while self.unsent.is_empty() && sent < length {
                match Pin::new(&mut self.io).poll_write(cx, &scratch[sent..length]) {
                    Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                    Poll::Ready(Ok(written)) => sent += written,
                    Poll::Ready(Err(error)) => return Err(error),
                    Poll::Pending => break,
                }
            }
            self.unsent.extend_from_slice(&scratch[sent..length]);
            Ok(())
        })
    }

    fn encrypt(&mut self, plain: &[u8], out: &mut [u8]) -> io::Result<usize> {
        self.with_traffic(|traffic| traffic.encrypt(plain, out))
    }

    /// Does something that only an established connection can.
    fn with_traffic(
        &mut self,
        act: impl FnOnce(&mut Traffic<'_>) -> Result<usize, EncryptError>,
    ) -> io::Result<usize> {
        // Whatever else the library has to say goes first.
        let mut received = std::mem::take(&mut self.received);
        let mut done = 0;
        let outcome = self.process(&mut received, &mut done, None).and_then(|()| {
            let status = self.tls.process_tls_records(&mut received[done..]);
            let acted = if let ConnectionState::WriteTraffic(mut traffic) = status.state? {
                act(&mut traffic).map_err(io::Error::other)
            } else {
                Err(io::ErrorKind::NotConnected.into())
            };
            done += status.discard;
            Ok(acted)
        });
        received.drain(..done);
        self.received = received;
        outcome.map_err(io::Error::other)?
    }
}

type Traffic<'c> = rustls::unbuffered::WriteTraffic<'c, rustls::server::ServerConnectionData>;

/// Where what the library gives goes.
struct Sinks<'a, 'b> {
    /// Whoever reads at the moment.
    plain: Option<&'a mut ReadBuf<'b>>,
    /// Plaintext for which there is no room.
    rest: &'a mut Vec<u8>,
    unsent: &'a mut Vec<u8>,
}

/// What a state of the library asks for.
enum Handled {
    /// To be asked again.
    More,
    /// The same; and the peer will say nothing more.
    PeerClosed,
    /// More has to come.
    Idle,
    /// Application data can be written.
    Established,
}

fn handle(
    state: ConnectionState<'_, '_, rustls::server::ServerConnectionData>,
    sinks: Sinks<'_, '_>,
    discard: &mut usize,
) -> Result<Handled, rustls::Error> {
    let Sinks { mut plain, rest, unsent } = sinks;
    match state {
        ConnectionState::ReadTraffic(mut traffic) => {
            while let Some(record) = traffic.next_record() {
                let record = record?;
                *discard += record.discard;
                keep(record.payload, plain.as_deref_mut(), rest);
            }
            Ok(Handled::More)
        }
        ConnectionState::EncodeTlsData(data) => {
            encode(data, unsent)?;
            Ok(Handled::More)
        }
        // Sent in order before anything else.
        ConnectionState::TransmitTlsData(data) => {
            data.done();
            Ok(Handled::More)
        }
        ConnectionState::PeerClosed => Ok(Handled::PeerClosed),
        ConnectionState::WriteTraffic(_) => Ok(Handled::Established),
        ConnectionState::BlockedHandshake | ConnectionState::Closed => Ok(Handled::Idle),
        // Early data is not offered; other states there are none of.
        state @ (ConnectionState::ReadEarlyData(_) | _) => {
            let state = format!("an unexpected state of the TLS library: {state:?}");
            Err(rustls::Error::General(state))
        }
    }
}

/// Gives plaintext to whoever reads, as far as there is room.
fn keep(payload: &[u8], plain: Option<&mut ReadBuf<'_>>, rest: &mut Vec<u8>) {
    let taken = match plain {
        Some(plain) if rest.is_empty() => {
            let taken = payload.len().min(plain.remaining());
            plain.put_slice(&payload[..taken]);
            taken
        }
        Some(_) | None => 0,
    };
    rest.extend_from_slice(&payload[taken..]);
}

fn encode<D>(mut data: EncodeTlsData<'_, D>, unsent: &mut Vec<u8>) -> Result<(), rustls::Error> {
    let Err(EncodeError::InsufficientSize(needed)) = data.encode(&mut []) else { return Ok(()) };
    let before = unsent.len();
    unsent.resize(before + needed.required_size, 0);
    data.encode(&mut unsent[before..]).map(|_| ()).map_err(|error| {
        unsent.truncate(before);
        rustls::Error::General(error.to_string())
    })
}

impl AsyncRead for TlsStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if !self.plain.is_empty() {
            let taken = self.plain.len().min(buffer.remaining());
            buffer.put_slice(&self.plain[..taken]);
            self.plain.drain(..taken);
            if self.plain.is_empty() {
                self.plain = Vec::new();
            }
            return Poll::Ready(Ok(()));
        }
        while buffer.filled().len() == before && !self.ended {
            let received = self.poll_receive(cx, Some(buffer));
            // Answers of the protocol itself, such as a key update.
            if !self.unsent.is_empty()
                && let Poll::Ready(Err(error)) = self.poll_send(cx)
            {
                return Poll::Ready(Err(error));
            }
            ready!(received)?;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for TlsStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_send(cx))?;
        let plain = &bytes[..bytes.len().min(PLAIN_BYTES)];
        self.seal(cx, |stream, out| stream.encrypt(plain, &mut out[..PLAIN_BYTES + ADDED_BYTES]))?;
        Poll::Ready(Ok(plain.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_send(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.phase == Phase::Established {
            self.phase = Phase::Closing;
            self.seal(cx, |stream, out| {
                stream.with_traffic(|traffic| traffic.queue_close_notify(out))
            })?;
        }
        ready!(self.poll_send(cx))?;
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
