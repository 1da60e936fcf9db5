//! One device after the other, at one place.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mqtt::Version;

use super::plan::ConnectsPlan;
use super::tally::ConnectTally;
use crate::failure::Failure;
use crate::link::Link;
use crate::session::Session;
use crate::transport::{Connector, Handshake};
use crate::window::Window;

/// How long to wait after a failure, so that a server that is gone is not stormed.
const PAUSE: Duration = Duration::from_millis(10);

/// A place at which devices come and go.
pub(crate) struct Cycles {
    place: u32,
    version: Version,
    /// With TLS sessions of its own: a session can be resumed only once, so places that shared
    /// them would take them from each other.
    connector: Connector,
    /// How many sessions are resumed here in turn; `None` if each client is a new one.
    sessions: Option<u32>,
}

impl Cycles {
    /// Place `place`.
    pub(crate) fn new(plan: &ConnectsPlan, place: u32) -> Self {
        Self {
            place,
            version: plan.version,
            connector: plan.connector.with_own_sessions(),
            sessions: plan.sessions_at(place),
        }
    }

    /// Begins the sessions that are resumed later.
    ///
    /// # Errors
    /// The first one that the server does not begin.
    pub(crate) async fn begin_sessions(&self) -> Result<(), Failure> {
        for number in 0..self.sessions.unwrap_or_default().into() {
            let client_id = self.client_id(number);
            let begun = async {
                let (link, _) = self.connect(&client_id, Session::Begun).await?;
                link.leave().await.map_err(|error| format!("leaving: {error}"))
            };
            begun.await.map_err(|what| {
                let (client_id, address) =
                    (client_id.clone(), self.connector.endpoint().to_string());
                Failure::DeviceRefused { client_id, address, what }
            })?;
        }
        Ok(())
    }

    /// Cycles until the window closes.
    pub(crate) async fn run(self, window: Window, tally: Arc<Mutex<ConnectTally>>) {
        let tally = || tally.lock().unwrap_or_else(PoisonError::into_inner);
        let session = self.sessions.map_or(Session::Transient, |_| Session::Resumed);
        let mut number = 0_u64;
        while Instant::now() < window.measure_to {
            let client_id = self.client_id(number);
            number += 1;
            let begun = Instant::now();
            match self.connect(&client_id, session).await {
                Ok((link, handshake)) => {
                    let accepted = Instant::now();
                    if let Err(error) = link.leave().await {
                        tally().error(format!("leaving: {error}"));
                    }
                    tally().count((begun, accepted, Instant::now()), handshake, &window);
                }
                Err(error) => {
                    tally().error(error);
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    fn client_id(&self, number: u64) -> String {
        let number = self.sessions.map_or(number, |sessions| number % u64::from(sessions));
        format!("load-c{}-{number}", self.place)
    }

    async fn connect(
        &self,
        client_id: &str,
        session: Session,
    ) -> Result<(Link, Handshake), String> {
        let opened = self.connector.open().await;
        let (stream, handshake) = opened.map_err(|error| format!("connecting: {error}"))?;
        let mut link = Link::new(stream, self.version);
        link.introduce(client_id, session).await?;
        Ok((link, handshake))
    }
}
