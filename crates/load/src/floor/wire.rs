//! The bytes of one connection: plain, or inside TLS.

use std::io::{self, IoSlice, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection};

/// The most that is read at once.
const READ_LEN: usize = 64 * 1024;

/// A socket that never blocks. A peer that does not read what it asked for is given up: its socket
/// holds thousands of messages before it comes to that.
pub(crate) struct Wire {
    stream: TcpStream,
    tls: Option<Box<ServerConnection>>,
}

/// Room for what is read, shared by all connections.
pub(crate) struct Scratch {
    raw: Box<[u8]>,
    opened: Vec<u8>,
}

/// What is known after reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// That was all.
    Drained,
    /// There may be more.
    Full,
    /// The peer sends nothing more.
    Ended,
}

impl Scratch {
    /// With room for one read.
    pub(crate) fn new() -> Self {
        Self { raw: vec![0; READ_LEN].into_boxed_slice(), opened: Vec::with_capacity(READ_LEN) }
    }
}

impl Default for Scratch {
    /// Without room: what is left behind while another has the room.
    fn default() -> Self {
        Self { raw: Box::default(), opened: Vec::new() }
    }
}

impl Wire {
    /// The bytes as they are. The socket must not block.
    pub(crate) fn plain(stream: TcpStream) -> Self {
        Self { stream, tls: None }
    }

    /// TLS; the handshake comes with reading.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub(crate) fn tls(
        stream: TcpStream,
        config: &Arc<ServerConfig>,
    ) -> Result<Self, rustls::Error> {
        let tls = ServerConnection::new(Arc::clone(config))?;
        Ok(Self { stream, tls: Some(Box::new(tls)) })
    }

    /// One read: the bytes, and whether there may be more.
    ///
    /// # Errors
    /// A broken connection.
    pub(crate) fn read<'s>(&mut self, scratch: &'s mut Scratch) -> io::Result<(&'s [u8], After)> {
        let count = match self.stream.read(&mut scratch.raw) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Ok((&[], After::Drained));
            }
            Err(error) => return Err(error),
        };
        let after = match count {
            0 => After::Ended,
            count if count == scratch.raw.len() => After::Full,
            _ => After::Drained,
        };
        let raw = &scratch.raw[..count];
        let Some(tls) = &mut self.tls else { return Ok((raw, after)) };
        scratch.opened.clear();
        open(tls, raw, &mut scratch.opened)?;
        // Only in the handshake, and when the peer changes keys or says goodbye.
        flush(tls, &mut self.stream)?;
        Ok((&scratch.opened, after))
    }

    /// One write.
    ///
    /// # Errors
    /// A broken connection, or a peer that does not read.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.tls {
            None => self.stream.write_all(bytes),
            Some(tls) => {
                tls.writer().write_all(bytes)?;
                flush(tls, &mut self.stream)
            }
        }
    }
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// Turns what came from the socket into what the peer has written.
fn open(tls: &mut ServerConnection, mut raw: &[u8], opened: &mut Vec<u8>) -> io::Result<()> {
    while !raw.is_empty() {
        tls.read_tls(&mut raw)?;
        let state = tls.process_new_packets().map_err(io::Error::other)?;
        let mut waiting = state.plaintext_bytes_to_read();
        while waiting > 0 {
            let from = opened.len();
            opened.resize(from + waiting, 0);
            let read = tls.reader().read(&mut opened[from..])?;
            opened.truncate(from + read);
            waiting -= read;
        }
    }
    Ok(())
}

fn flush(tls: &mut ServerConnection, stream: &mut TcpStream) -> io::Result<()> {
    while tls.wants_write() {
        tls.write_tls(&mut Records(stream))?;
    }
    Ok(())
}

/// A socket for records: nearly always there is one, and to send it costs less than to write a list
/// with one member.
struct Records<'a>(&'a mut TcpStream);

impl Write for Records<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match slices {
            [only] => self.0.write(only),
            several => self.0.write_vectored(several),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
