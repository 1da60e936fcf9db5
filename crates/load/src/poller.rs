//! Readiness of many sockets: epoll, edge-triggered.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

/// How many sockets one call reports at most. What is left comes with the next call.
const EVENTS_AT_ONCE: usize = 256;

/// An epoll instance and the room for its answers.
pub(crate) struct Poller {
    epoll: OwnedFd,
    events: Vec<Event>,
}

/// One socket that has something to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ready {
    /// What the socket was registered with.
    pub(crate) token: u64,
    /// The socket takes bytes again; only for those added with [`Interest::Both`].
    pub(crate) writable: bool,
    /// The peer has closed, or the connection is broken: there may be bytes, then an end.
    pub(crate) hung_up: bool,
}

/// What is to be said about a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interest {
    /// That bytes came, or the end.
    Reading,
    /// That, and that there is room to write.
    Both,
}

impl Poller {
    /// With no sockets.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn new() -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let nothing = Event { flags: EventFlags::empty(), data: EventData::new_u64(0) };
        Ok(Self { epoll, events: vec![nothing; EVENTS_AT_ONCE] })
    }

    /// Reports the socket from now on, until it is closed. Edge-triggered: a socket is reported
    /// once for what came, so whoever reads must read until it is drained. (Level-triggered, the
    /// kernel would look at every reported socket once more in the next call.)
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn add(&self, socket: impl AsFd, token: u64, interest: Interest) -> io::Result<()> {
        let mut flags = EventFlags::IN | EventFlags::RDHUP | EventFlags::ET;
        match interest {
            Interest::Reading => {}
            Interest::Both => flags |= EventFlags::OUT,
        }
        epoll::add(&self.epoll, socket, EventData::new_u64(token), flags)?;
        Ok(())
    }

    /// Waits for the next sockets, at most `timeout`, forever without one. How many there are; see
    /// [`ready`](Self::ready).
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn wait(&mut self, timeout: Option<Duration>) -> io::Result<usize> {
        let timeout = timeout.map(|timeout| Timespec {
            tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: timeout.subsec_nanos().into(),
        });
        match epoll::wait(&self.epoll, &mut self.events[..], timeout.as_ref()) {
            Ok(count) => Ok(count),
            Err(rustix::io::Errno::INTR) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    /// Socket `index` of those that the last [`wait`](Self::wait) has counted.
    pub(crate) fn ready(&self, index: usize) -> Ready {
        let Event { flags, data } = self.events[index];
        let ends = EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR;
        let writable = flags.contains(EventFlags::OUT);
        Ready { token: data.u64(), writable, hung_up: flags.intersects(ends) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_socket_is_reported_once_for_what_came_and_again_for_its_end() {
        let (near, mut far) = UnixStream::pair().unwrap();
        let mut poller = Poller::new().unwrap();
        poller.add(&near, 7, Interest::Reading).unwrap();
        assert_eq!(poller.wait(Some(Duration::ZERO)).unwrap(), 0);
        far.write_all(b"x").unwrap();
        assert_eq!(poller.wait(None).unwrap(), 1);
        assert_eq!(poller.ready(0), Ready { token: 7, writable: false, hung_up: false });
        assert_eq!(poller.wait(Some(Duration::ZERO)).unwrap(), 0);
        drop(far);
        assert_eq!(poller.wait(None).unwrap(), 1);
        assert!(poller.ready(0).hung_up);
    }

    #[test]
    fn room_to_write_is_reported_where_it_is_asked_for() {
        let (near, _far) = UnixStream::pair().unwrap();
        let mut poller = Poller::new().unwrap();
        poller.add(&near, 1, Interest::Both).unwrap();
        assert_eq!(poller.wait(None).unwrap(), 1);
        assert!(poller.ready(0).writable);
    }
}
