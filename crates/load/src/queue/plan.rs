//! Who publishes how much for whom.

use std::time::Duration;

use mqtt::{QoS, Version};

use crate::failure::Failure;
use crate::link::{Allowed, Link};
use crate::options::QueueOptions;
use crate::process::Process;
use crate::session::Session;
use crate::target::Target;
use crate::transport::Connector;

/// Everybody's version: sessions are kept for a time.
pub(super) const VERSION: Version = Version::V5;
/// Of publishing and of subscribing.
pub(super) const QOS: QoS = QoS::AtLeastOnce;
/// How long the broker may be silent to somebody who waits.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// A run.
#[derive(Clone)]
pub(crate) struct QueuePlan {
    /// How everybody connects.
    pub(crate) connector: Connector,
    /// The server's process, if it is known.
    pub(crate) process: Option<Process>,
    /// How many sessions there are.
    pub(crate) sessions: u32,
    /// Messages for each of them.
    pub(crate) messages: u32,
    /// Bytes of each message.
    pub(crate) payload: usize,
    /// Publishers, not more than sessions.
    pub(crate) publishers: u32,
    /// Messages of each publisher that are unacknowledged at once.
    pub(crate) window: u32,
    /// Sessions that connect at the same time.
    pub(crate) concurrency: u32,
}

impl QueuePlan {
    /// The run that the options ask for.
    ///
    /// # Errors
    /// Which option is wrong or missing, and what would be right.
    pub(crate) fn new(options: &QueueOptions) -> Result<Self, Failure> {
        let target = Target::new(&options.target)?;
        Ok(Self {
            connector: target.devices(options.device_transport)?,
            process: target.process(),
            sessions: options.sessions,
            messages: options.messages,
            payload: options.payload as usize,
            publishers: options.publishers.min(options.sessions),
            window: options.window,
            concurrency: options.concurrency,
        })
    }

    /// How many connections there will be at once.
    pub(crate) fn connections(&self) -> u64 {
        u64::from(self.sessions) + u64::from(self.publishers)
    }

    /// How many messages there are.
    pub(crate) fn total(&self) -> u64 {
        u64::from(self.sessions) * u64::from(self.messages)
    }

    /// The topic of a session.
    pub(crate) fn topic(session: u32) -> String {
        format!("load/queue/{session}")
    }

    /// The client ID of a session.
    pub(crate) fn client_id(session: u32) -> String {
        format!("load-q{session}")
    }

    /// Connects a client.
    ///
    /// # Errors
    /// No connection, or the broker does not accept the client with this session.
    pub(crate) async fn connect(
        &self,
        client_id: &str,
        session: Session,
    ) -> Result<(Link, Allowed), Failure> {
        let attempt = async {
            let stream = self.connector.connect().await.map_err(|source| {
                let (who, address) = (client_id.to_owned(), self.address());
                Failure::Unreachable { who, address, source }
            })?;
            let mut link = Link::new(stream, VERSION);
            let allowed = link.introduce(client_id, session).await;
            allowed.map(|allowed| (link, allowed)).map_err(|what| self.refused(client_id, what))
        };
        match tokio::time::timeout(PATIENCE, attempt).await {
            Ok(connected) => connected,
            Err(_) => Err(self.refused(client_id, silence())),
        }
    }

    /// The listener.
    pub(crate) fn address(&self) -> String {
        self.connector.endpoint().to_string()
    }

    /// A client that was not let in, or not to what it asked for.
    pub(crate) fn refused(&self, client_id: &str, what: String) -> Failure {
        let (client_id, address) = (client_id.to_owned(), self.address());
        Failure::DeviceRefused { client_id, address, what }
    }

    /// A client whose connection has ended.
    pub(crate) fn lost(&self, client_id: &str, what: String) -> Failure {
        let (who, address) = (client_id.to_owned(), self.address());
        Failure::Lost { who, address, what }
    }
}

/// What is said of a broker that says nothing.
pub(super) fn silence() -> String {
    format!("no answer within {} s", PATIENCE.as_secs())
}
