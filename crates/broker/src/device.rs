//! One client ID's place in the node.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use engine::Moment;
use engine::rate::Bucket;
use engine::session::Memory;
use mqtt::{ClientId, SubscribeOptions, Version};
use parking_lot::{Mutex, MutexGuard};
use smallvec::SmallVec;

use crate::connection::Connection;
use crate::will::Will;

/// One client ID: its session, and its connection while it has one.
pub(crate) struct Device {
    pub(crate) client_id: ClientId,
    pub(crate) connects: Bucket,
    /// Whether there is a connection, for those who only prefer one that has.
    pub(crate) connected: AtomicBool,
    /// Held while a message at QoS 1 or 2 of this client is routed: a connection that takes over
    /// meanwhile routes none before it. Taken before any other lock.
    pub(crate) routing: Mutex<()>,
    state: Mutex<State>,
}

/// What the lock protects.
pub(crate) struct State {
    /// Rises with every connection; a task of an older connection sees that it is out of date.
    pub(crate) epoch: u64,
    pub(crate) connection: Option<Connection>,
    pub(crate) session: Kept,
    /// Set once the device has left the registry: a new connection must look the ID up again.
    pub(crate) removed: bool,
    /// The deadlines already handed to the timers, earliest first.
    pub(crate) scheduled: SmallVec<[Moment; 2]>,
}

/// What a session is without its connection.
#[derive(Default)]
pub(crate) struct Kept {
    /// Names the session in the store; 0 if it is not there.
    pub(crate) number: u64,
    /// How many sessions the device had before. Whoever found its subscriptions may come when they,
    /// and the session they belonged to, are over.
    pub(crate) generation: u64,
    /// The protocol version it began under; it cannot be resumed by the other one (spec 4).
    pub(crate) version: Option<Version>,
    /// How long it outlives the connection, in seconds.
    pub(crate) expiry_seconds: u32,
    /// Its subscriptions, by filter.
    pub(crate) subscriptions: BTreeMap<Box<str>, Subscribed>,
    /// Its messages; with the connection while there is one.
    pub(crate) memory: Option<Box<Memory>>,
    /// The Will that waits for its delay to pass, and when that is.
    pub(crate) will: Option<(Box<Will>, Moment)>,
    /// When it ends; none while connected.
    pub(crate) ends: Option<Moment>,
    /// When the device is forgotten altogether; none while connected.
    pub(crate) forgotten: Option<Moment>,
    /// How many connections the device had since it was known (spec 4.7, `versionNumber`).
    pub(crate) connections: u64,
}

/// A subscription of a session.
#[derive(Clone, Copy)]
pub(crate) struct Subscribed {
    pub(crate) options: SubscribeOptions,
    pub(crate) identifier: Option<u32>,
}

impl Kept {
    /// Whether the session outlives its connection.
    pub(crate) fn is_persistent(&self) -> bool {
        self.expiry_seconds > 0
    }
}

impl Device {
    pub(crate) fn new(client_id: ClientId) -> Arc<Self> {
        let state = State {
            epoch: 0,
            connection: None,
            session: Kept::default(),
            removed: false,
            scheduled: SmallVec::new(),
        };
        Arc::new(Device {
            client_id,
            connects: Bucket::new(),
            connected: AtomicBool::new(false),
            routing: Mutex::new(()),
            state: Mutex::new(state),
        })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// None if somebody holds the lock, who may be the caller.
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, State>> {
        self.state.try_lock()
    }
}

impl State {
    /// The connection of that epoch, if it is still the present one.
    pub(crate) fn current(&mut self, epoch: u64) -> Option<&mut Connection> {
        if self.epoch == epoch { self.connection.as_mut() } else { None }
    }

    /// Takes the connection of that epoch out, to end it.
    pub(crate) fn take(&mut self, epoch: u64) -> Option<Connection> {
        if self.epoch == epoch { self.connection.take() } else { None }
    }

    /// Whether a session is there that outlives its connection (spec 4.2).
    pub(crate) fn has_session(&self, now: Moment) -> bool {
        self.session.ends.is_some_and(|ends| ends > now)
    }

    /// The next deadline of anything here.
    pub(crate) fn deadline(&self, stall: Duration, now: Moment) -> Option<Moment> {
        match &self.connection {
            Some(connection) => {
                let stalled = connection.stalled_since().map(|since| since.after(stall));
                [connection.session.poll_timeout(), stalled, connection.resumes(now)]
                    .into_iter()
                    .flatten()
                    .min()
            }
            // A session keeps its device known, however long ago it left.
            None => {
                let end = self.session.ends.or(self.session.forgotten);
                let will = self.session.will.as_ref().map(|(_, due)| *due);
                [end, will].into_iter().flatten().min()
            }
        }
    }
}
