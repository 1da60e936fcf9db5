//! A sender: one request after the other.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::backlog::Backlog;
use crate::channel::Channel;
use crate::exchange::{Afterwards, ExchangeError};
use crate::failure::Failure;
use crate::http2::Http2;
use crate::plan::{Plan, Protocol};
use crate::request::Request;
use crate::response::Response;
use crate::tally::Tally;
use crate::window::Window;

/// How long to wait before connecting again, so that a server that is gone is not stormed.
const PAUSE: Duration = Duration::from_millis(10);

/// When the next request is due.
#[derive(Clone)]
pub(crate) enum Source {
    /// At once.
    Closed,
    /// When one comes due.
    Open(Arc<Backlog>),
}

/// Where the senders of one thread count. They take turns, so the lock is never contended.
#[derive(Clone)]
pub(crate) struct SharedTally(Arc<Mutex<Tally>>);

impl SharedTally {
    /// Shares `tally`.
    pub(crate) fn new(tally: Tally) -> Self {
        Self(Arc::new(Mutex::new(tally)))
    }

    /// The tally, for a moment; not to be held while waiting.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Tally> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which devices a sender addresses: from its own number on, every so many. Together the senders
/// address all devices equally often.
#[derive(Clone, Copy, Debug)]
struct Addressees {
    first: u32,
    next: u32,
    step: u32,
    count: u32,
}

impl Addressees {
    fn new(number: u32, senders: u32, fleet: (u32, u32)) -> Self {
        let (first, count) = fleet;
        Self { first, next: number % count, step: senders % count, count }
    }

    fn next(&mut self) -> u32 {
        let device = self.first + self.next;
        // Neither is above a million, so the sum fits.
        self.next = (self.next + self.step) % self.count;
        device
    }
}

/// A sender that is connected.
pub(crate) struct Sender {
    channel: Channel,
    request: Request,
    addressees: Addressees,
}

impl Sender {
    /// Connects the senders with these numbers.
    ///
    /// # Errors
    /// The server cannot be reached, or the credentials cannot be sent.
    pub(crate) async fn connect_all(
        plan: &Plan,
        numbers: impl Iterator<Item = u32>,
    ) -> Result<Vec<Self>, Failure> {
        let unreachable = |who: String| {
            let address = plan.connector.endpoint().to_string();
            move |source| Failure::Unreachable { who, address, source }
        };
        let shared = match plan.protocol {
            Protocol::Http1 => None,
            Protocol::Http2 => {
                let opened = Http2::open(&plan.connector).await;
                Some(opened.map_err(unreachable("the senders' connection".to_owned()))?)
            }
        };
        let mut senders = Vec::new();
        for number in numbers {
            let channel = match &shared {
                None => Channel::own(plan.connector.clone())
                    .await
                    .map_err(unreachable(format!("sender {number}")))?,
                Some(connection) => Channel::shared(plan, connection.clone())?,
            };
            senders.push(Self::new(plan, number, channel)?);
        }
        Ok(senders)
    }

    fn new(plan: &Plan, number: u32, channel: Channel) -> Result<Self, Failure> {
        let host = plan.connector.endpoint().to_string();
        let request = Request::new(&host, &plan.messages, plan.signing.as_ref())
            .map_err(|error| Failure::Option(format!("the access key cannot be used: {error}")))?;
        let addressees =
            Addressees::new(number, plan.senders, (plan.fleet.first, plan.fleet.count));
        Ok(Self { channel, request, addressees })
    }

    /// Sends until the source has no more.
    pub(crate) async fn run(mut self, source: Source, window: Window, tally: SharedTally) {
        loop {
            let intended = match &source {
                Source::Closed => Some(Instant::now()).filter(|now| *now < window.measure_to),
                Source::Open(backlog) => backlog.take().await,
            };
            let Some(intended) = intended else { return };
            match self.send(intended, &window, &tally).await {
                Ok(Afterwards::Open) => continue,
                Ok(Afterwards::Closed) => {}
                Err(error) => {
                    tally.lock().error(error);
                    tokio::time::sleep(PAUSE).await;
                }
            }
            self.reconnect(&tally).await;
        }
    }

    async fn send(
        &mut self,
        intended: Instant,
        window: &Window,
        tally: &SharedTally,
    ) -> Result<Afterwards, ExchangeError> {
        tally.lock().sent += 1;
        let device = self.addressees.next();
        let count =
            |answer: &Response<'_>| tally.lock().answer(answer, (intended, Instant::now()), window);
        self.channel.send(&mut self.request, device, count).await
    }

    /// Tries until it succeeds; the run's deadline ends it otherwise.
    async fn reconnect(&mut self, tally: &SharedTally) {
        loop {
            match self.channel.renew().await {
                Ok(()) => return,
                Err(error) => tally.lock().error(ExchangeError::Connect(error.kind())),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senders_address_all_devices_equally_often() {
        for (senders, devices) in [(16, 1000), (3, 10), (10, 3), (4, 4), (5, 1)] {
            let mut times = vec![0; devices as usize];
            for sender in 0..senders {
                let mut addressees = Addressees::new(sender, senders, (7, devices));
                for _ in 0..devices {
                    times[addressees.next() as usize - 7] += 1;
                }
            }
            assert!(times.iter().all(|n| *n == times[0]), "{senders} {devices}: {times:?}");
        }
    }
}
