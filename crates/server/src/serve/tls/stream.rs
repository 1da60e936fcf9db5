//! TLS on a connection of the reactor, with buffers that belong to the thread.
//!
//! The usual interface of the TLS library keeps a read buffer of 4 KiB with every connection for as
//! long as it lives, which is more than everything else an idle connection needs. Its unbuffered
//! interface leaves buffers to the caller; here a connection holds bytes only of a record that has
//! come in part, or that the socket or the reader did not take yet.

use std::cell::RefCell;
use std::io;
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
        !self.plain.is_empty() || self.io.may_have_more()
    }

    /// Goes on with the handshake until it is over and its last bytes are sent.
    pub(super) fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // What came with the ClientHello, if nothing was dealt with yet.
        let mut received = std::mem::take(&mut self.received);
        let processed = self.process(&mut received, None);
        self.finish_processing(cx, processed, &received)?;
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
            let incoming = &mut scratch[..before + length];
            let processed = self.process(incoming, plain);
            Poll::Ready(self.finish_processing(cx, processed, incoming))
        })
    }

    /// Keeps what was not dealt with. A failure has an alert for the peer.
    fn finish_processing(
        &mut self,
        cx: &mut Context<'_>,
        processed: Result<usize, rustls::Error>,
        incoming: &[u8],
    ) -> io::Result<()> {
        match processed {
            Ok(done) if done == incoming.len() => self.received = Vec::new(),
            Ok(done) => self.received = incoming[done..].to_vec(),
            Err(error) => {
                // The connection fails with the error that came first.
                let _ = self.process(&mut [], None);
                let _ = self.poll_send(cx);
                return Err(io::Error::new(io::ErrorKind::InvalidData, error));
            }
        }
        Ok(())
    }

    /// Deals with the whole records of `incoming`; says how many bytes of it are done with.
    /// Plaintext goes to `plain` as far as there is room.
    fn process(
        &mut self,
        incoming: &mut [u8],
        mut plain: Option<&mut ReadBuf<'_>>,
    ) -> Result<usize, rustls::Error> {
        let mut done = 0;
        loop {
            let status = self.tls.process_tls_records(&mut incoming[done..]);
            let mut discard = status.discard;
            let more = match status.state? {
                ConnectionState::ReadTraffic(mut traffic) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record?;
                        discard += record.discard;
                        keep(record.payload, plain.as_deref_mut(), &mut self.plain);
                    }
                    true
                }
                ConnectionState::EncodeTlsData(data) => {
                    encode(data, &mut self.unsent)?;
                    true
                }
                // Sent in order before anything else.
                ConnectionState::TransmitTlsData(data) => {
                    data.done();
                    true
                }
                ConnectionState::PeerClosed => {
                    self.ended = true;
                    true
                }
                ConnectionState::WriteTraffic(_) => {
                    if self.phase == Phase::Handshake {
                        self.phase = Phase::Established;
                    }
                    false
                }
                ConnectionState::BlockedHandshake | ConnectionState::Closed => false,
                // Early data is not offered; other states there are none of.
                state @ (ConnectionState::ReadEarlyData(_) | _) => {
                    let state = format!("an unexpected state of the TLS library: {state:?}");
                    return Err(rustls::Error::General(state));
                }
            };
            done += discard;
            if !more {
                return Ok(done);
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
        self.process(&mut [], None).map_err(io::Error::other)?;
        match self.tls.process_tls_records(&mut []).state {
            Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                act(&mut traffic).map_err(io::Error::other)
            }
            Ok(_) => Err(io::ErrorKind::NotConnected.into()),
            Err(error) => Err(io::Error::other(error)),
        }
    }
}

type Traffic<'c> = rustls::unbuffered::WriteTraffic<'c, rustls::server::ServerConnectionData>;

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
