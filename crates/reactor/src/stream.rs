//! A TCP connection whose readiness the reactor tells.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::pin::Pin;
use std::task::{Context, Poll};

use rustix::event::epoll;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::outstanding::unacknowledged;
use crate::{Ready, Turn};

/// A TCP connection. In a reactor its `poll_*` methods never keep the waker they are given: whoever
/// owns the connection is given a turn when the socket is ready again. Once it has left the reactor
/// it is like any connection of the runtime.
#[derive(Debug)]
pub struct Stream {
    socket: Socket,
    readiness: Readiness,
    /// Bytes the system took.
    written: u64,
}

#[derive(Debug)]
enum Socket {
    InReactor(TcpStream),
    /// Boxed, since few connections leave.
    InRuntime(Box<tokio::net::TcpStream>),
    /// It was to leave and could not.
    Lost,
}

/// What is known about the next read.
#[derive(Debug)]
struct Readiness {
    /// Whether turns have said anything; until then every read is tried.
    told: bool,
    /// Whether a read may give something. A read that did not fill its buffer emptied the socket,
    /// which saves the read that would only say so.
    readable: bool,
    /// Whether the end is in sight; then only a read tells what comes before it.
    closed: bool,
}

impl Readiness {
    fn after<T>(&mut self, read: &io::Result<T>, filled: impl FnOnce(&T) -> bool) {
        match read {
            Ok(read) => self.readable = self.closed || filled(read),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.readable = false,
            Err(_) => {}
        }
    }
}

impl Stream {
    pub(crate) fn new(socket: TcpStream) -> Self {
        let readiness = Readiness { told: false, readable: true, closed: false };
        Stream { socket: Socket::InReactor(socket), readiness, written: 0 }
    }

    /// Takes over what a turn says about the socket. From then on a read is tried only if something
    /// may be there, so every later turn must be told as well.
    pub fn note_ready(&mut self, ready: Ready) {
        self.readiness.told = true;
        self.readiness.readable |= ready.readable || ready.closed;
        self.readiness.closed |= ready.closed;
    }

    /// Whether another read may give something at once.
    pub fn may_have_more(&self) -> bool {
        !self.readiness.told || self.readiness.readable
    }

    /// How many bytes were written since the beginning.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// How many of them the peer's TCP has not acknowledged; none if the system does not tell.
    pub fn unacknowledged(&self) -> Option<u64> {
        match &self.socket {
            Socket::InReactor(socket) => unacknowledged(socket).ok(),
            Socket::InRuntime(socket) => unacknowledged(&**socket).ok(),
            Socket::Lost => None,
        }
    }

    /// The address that the peer connected to; none if the system does not tell.
    pub fn local_address(&self) -> Option<SocketAddr> {
        match &self.socket {
            Socket::InReactor(socket) => socket.local_addr().ok(),
            Socket::InRuntime(socket) => socket.local_addr().ok(),
            Socket::Lost => None,
        }
    }

    /// Leaves the reactor for the present runtime.
    ///
    /// # Errors
    /// The system's; the connection is lost then.
    pub fn leave(&mut self, turn: &Turn<'_, '_>) -> io::Result<()> {
        let Socket::InReactor(socket) = std::mem::replace(&mut self.socket, Socket::Lost) else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        epoll::delete(turn.epoll, &socket)?;
        let socket = tokio::net::TcpStream::from_std(socket)?;
        self.socket = Socket::InRuntime(Box::new(socket));
        Ok(())
    }
}

/// Repeats what a signal interrupted, and makes a poll of "would block".
fn poll<T>(mut attempt: impl FnMut() -> io::Result<T>) -> Poll<io::Result<T>> {
    loop {
        match attempt() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
            result => return Poll::Ready(result),
        }
    }
}

fn lost<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::ErrorKind::NotConnected.into()))
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Stream { socket, readiness, .. } = self.get_mut();
        match socket {
            Socket::InReactor(_) if readiness.told && !readiness.readable => Poll::Pending,
            Socket::InReactor(socket) => {
                let unfilled = buffer.initialize_unfilled();
                let room = unfilled.len();
                let length = std::task::ready!(poll(|| {
                    let read = socket.read(unfilled);
                    readiness.after(&read, |length| *length == room);
                    read
                }))?;
                buffer.advance(length);
                Poll::Ready(Ok(()))
            }
            Socket::InRuntime(socket) => Pin::new(&mut **socket).poll_read(cx, buffer),
            Socket::Lost => lost(),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = match &mut self.socket {
            Socket::InReactor(socket) => poll(|| socket.write(bytes)),
            Socket::InRuntime(socket) => Pin::new(&mut **socket).poll_write(cx, bytes),
            Socket::Lost => lost(),
        };
        if let Poll::Ready(Ok(written)) = polled {
            self.written += written as u64;
        }
        polled
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.socket {
            Socket::InReactor(socket) => Poll::Ready(socket.shutdown(Shutdown::Write)),
            Socket::InRuntime(socket) => Pin::new(&mut **socket).poll_shutdown(cx),
            Socket::Lost => lost(),
        }
    }
}
