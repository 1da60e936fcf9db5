//! One device after the other, at one place.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mqtt::Version;

use super::tally::ConnectTally;
use crate::device::Device;
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
}

impl Cycles {
    /// Place `place`.
    pub(crate) fn new(place: u32, version: Version, connector: Connector) -> Self {
        Self { place, version, connector }
    }

    /// Cycles until the window closes.
    pub(crate) async fn run(self, window: Window, tally: Arc<Mutex<ConnectTally>>) {
        let tally = || tally.lock().unwrap_or_else(PoisonError::into_inner);
        let mut number = 0_u64;
        while Instant::now() < window.measure_to {
            let client_id = format!("load-c{}-{number}", self.place);
            number += 1;
            let begun = Instant::now();
            match self.connect(&client_id).await {
                Ok((device, handshake)) => {
                    let accepted = Instant::now();
                    if let Err(error) = device.leave().await {
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

    async fn connect(&self, client_id: &str) -> Result<(Device, Handshake), String> {
        let opened = self.connector.open().await;
        let (stream, handshake) = opened.map_err(|error| format!("connecting: {error}"))?;
        let device = Device::introduced(stream, self.version, client_id).await;
        device.map(|device| (device, handshake))
    }
}
