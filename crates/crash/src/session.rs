//! What a client knows of its session at the server.

use std::thread;
use std::time::Duration;

use mqtt::Version;

use crate::link::{Link, Lost};
use crate::stage::{Place, Stage};

/// How long to wait before the server is called again.
const AGAIN: Duration = Duration::from_millis(2);

/// Whether the server has a session of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Present {
    Yes,
    No,
    /// A CONNECT was sent and its CONNACK did not come.
    Unknown,
}

/// A client's session, from the client's side.
pub(crate) struct Session<'a> {
    stage: &'a Stage,
    pub(crate) client_id: String,
    pub(crate) version: Version,
    present: Present,
    /// The client gave its session up, which the server has not confirmed.
    discarding: bool,
    /// How many sessions were discarded: deliveries and subscriptions of others are over.
    pub(crate) generation: u64,
}

impl<'a> Session<'a> {
    pub(crate) fn new(stage: &'a Stage, client_id: String, version: Version) -> Self {
        let present = Present::No;
        Session { stage, client_id, version, present, discarding: false, generation: 0 }
    }

    /// The next connection begins with a new session. Until it does nothing of the client's own
    /// state is left: it has to forget it now.
    pub(crate) fn discard(&mut self) {
        self.discarding = true;
    }

    /// Connects, and begins anew if that was asked for; nothing while there is no server.
    pub(crate) fn open(&mut self) -> Option<(Link, Place)> {
        let opened = self.stage.server().and_then(|place| {
            let link = self.begin(place).and_then(|()| self.resume(place));
            Some((self.hear_out(link)?, place))
        });
        if opened.is_none() {
            thread::sleep(AGAIN);
        }
        opened
    }

    /// What a connection gave; a wrong end of it is a broken promise.
    pub(crate) fn hear_out<T>(&self, result: Result<T, Lost>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(Lost::Gone) => None,
            Err(Lost::Wrong(what)) => {
                self.accuse(&what);
                None
            }
        }
    }

    pub(crate) fn accuse(&self, what: &str) {
        let version = match self.version {
            Version::V311 => "3.1.1",
            Version::V5 => "5.0",
        };
        self.stage.accuse(format!("{} (MQTT {version}): {what}", self.client_id));
    }

    fn begin(&mut self, place: Place) -> Result<(), Lost> {
        if !self.discarding {
            return Ok(());
        }
        self.present = Present::Unknown;
        let opened = Link::open(place.address, self.version, &self.client_id, true);
        let (link, present) = opened?;
        if present {
            self.accuse("session present after a clean start [MQTT-3.2.2-2]");
        }
        self.discarding = false;
        self.generation += 1;
        // A clean session of MQTT 3.1.1 ends with its connection.
        self.present = match self.version {
            Version::V311 => Present::No,
            Version::V5 => Present::Yes,
        };
        match self.version {
            Version::V311 => link.leave(),
            Version::V5 => drop(link),
        }
        Ok(())
    }

    fn resume(&mut self, place: Place) -> Result<Link, Lost> {
        let expected = self.present;
        if expected == Present::No {
            self.present = Present::Unknown;
        }
        let (link, present) = Link::open(place.address, self.version, &self.client_id, false)?;
        self.present = Present::Yes;
        match (expected, present) {
            (Present::Yes, false) => self.accuse("an acknowledged session is gone"),
            (Present::No, true) => self.accuse("a discarded session is back"),
            (Present::Yes, true) | (Present::No, false) | (Present::Unknown, _) => {}
        }
        Ok(link)
    }
}
