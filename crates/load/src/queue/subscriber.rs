//! A session that goes offline, comes back for its messages, and ends.

use std::time::{Duration, Instant};

use mqtt::{Ack, AckKind, Packet, Properties, Publish, ReasonCode, decode};

use super::plan::{PATIENCE, QOS, QueuePlan, VERSION, silence};
use crate::arrivals::{Arrivals, Expectation};
use crate::failure::Failure;
use crate::link::{Link, Loss, MAX_PACKET};
use crate::session::{Farewell, Session};
use crate::subscription;
use crate::template::Label;

/// A session that is online again.
pub(super) struct Subscriber {
    number: u32,
    client_id: String,
    link: Link,
    expectation: Expectation,
    /// What came.
    pub(super) arrivals: Arrivals,
    ponged: bool,
    answers: Vec<u8>,
}

/// When a session came back, and when it had what it came for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drained {
    /// Its last message was there.
    pub(super) at: Instant,
    /// Since it began to connect.
    pub(super) took: Duration,
}

/// Begins session `number`, subscribes it to its topic and leaves it behind.
///
/// # Errors
/// When the broker does not accept one of them.
pub(super) async fn begin(plan: &QueuePlan, number: u32) -> Result<(), Failure> {
    let client_id = QueuePlan::client_id(number);
    let (mut link, _) = plan.connect(&client_id, Session::Begun).await?;
    let subscribed = async {
        let request = subscription::request(&QueuePlan::topic(number), QOS, VERSION);
        let request = request.map_err(|error| error.to_string())?;
        link.send(&request).await.map_err(|error| error.to_string())?;
        loop {
            link.read().await.map_err(|loss| loss.to_string())?;
            let decoded = decode(&link.received, VERSION, MAX_PACKET);
            if let Some((answer, _)) = decoded.map_err(|error| error.to_string())? {
                subscription::check(&answer, QOS)?;
                break;
            }
        }
        link.part(Farewell::Kept).await.map_err(|loss| loss.to_string())
    };
    let subscribed = tokio::time::timeout(PATIENCE, subscribed).await;
    subscribed.unwrap_or_else(|_| Err(silence())).map_err(|what| plan.refused(&client_id, what))
}

impl Subscriber {
    /// Comes back to session `number`.
    ///
    /// # Errors
    /// When the broker does not let it in or has forgotten it.
    pub(super) async fn come_back(plan: &QueuePlan, number: u32) -> Result<Self, Failure> {
        let client_id = QueuePlan::client_id(number);
        let (link, _) = plan.connect(&client_id, Session::Resumed).await?;
        Ok(Self {
            number,
            client_id,
            link,
            expectation: Expectation::default(),
            arrivals: Arrivals::default(),
            ponged: false,
            answers: Vec::new(),
        })
    }

    /// Receives until all messages of the plan are there. Those that do not come while the broker
    /// is patiently waited for are lost.
    ///
    /// # Errors
    /// When the connection ends first or the broker sends what nothing here asks for.
    pub(super) async fn drain(
        &mut self,
        plan: &QueuePlan,
        since: Instant,
    ) -> Result<Drained, Failure> {
        let wanted = u64::from(plan.messages);
        let received = self.receive(|own| own.expectation.next() >= wanted).await;
        if !received.map_err(|loss| plan.lost(&self.client_id, loss.to_string()))? {
            self.arrivals.lost += wanted - self.expectation.next();
        }
        Ok(Drained { at: Instant::now(), took: since.elapsed() })
    }

    /// Pings, so that what else the broker has sent is here and counted, and ends the session.
    ///
    /// # Errors
    /// When the broker does not answer, or sends what nothing here asks for.
    pub(super) async fn end(mut self, plan: &QueuePlan) -> Result<Arrivals, Failure> {
        let client_id = std::mem::take(&mut self.client_id);
        let ended = async move {
            // PINGREQ
            self.link.send(&[0xC0, 0]).await?;
            let ponged = self.receive(|own| own.ponged).await?;
            self.link.part(Farewell::Ended).await.map(|()| (ponged, self.arrivals))
        };
        match tokio::time::timeout(PATIENCE, ended).await {
            Ok(Ok((true, arrivals))) => Ok(arrivals),
            Ok(Err(loss)) => Err(plan.lost(&client_id, loss.to_string())),
            Ok(Ok((false, _))) | Err(_) => Err(plan.lost(&client_id, silence())),
        }
    }

    /// Receives and acknowledges until it is enough; false if the broker falls silent before.
    async fn receive(&mut self, is_enough: impl Fn(&Self) -> bool) -> Result<bool, Loss> {
        loop {
            self.handle_received()?;
            if !self.answers.is_empty() {
                self.link.send(&self.answers).await?;
                self.answers.clear();
            }
            if is_enough(self) {
                return Ok(true);
            }
            match tokio::time::timeout(PATIENCE, self.link.read()).await {
                Ok(read) => read?,
                Err(_) => return Ok(false),
            }
        }
    }

    /// Handles the packets that are complete.
    fn handle_received(&mut self) -> Result<(), Loss> {
        let received = std::mem::take(&mut self.link.received);
        let mut used = 0;
        while let Some((packet, len)) = decode(&received[used..], VERSION, MAX_PACKET)? {
            used += len;
            if let Packet::Publish(publish) = packet {
                self.handle_publish(&publish)?;
            } else if matches!(packet, Packet::PingResp) {
                self.ponged = true;
            } else if let Packet::Disconnect(disconnect) = packet {
                return Err(Loss::Disconnected(disconnect.reason));
            } else {
                return Err(Loss::Unexpected(packet.name()));
            }
        }
        self.link.received = received;
        self.link.received.drain(..used);
        Ok(())
    }

    fn handle_publish(&mut self, publish: &Publish<'_>) -> Result<(), Loss> {
        let label = Label::read(publish.payload).filter(|label| label.publisher == self.number);
        match label.filter(|_| publish.qos == QOS) {
            None => self.arrivals.foreign += 1,
            Some(Label { sequence, .. }) => {
                // What it settles is of no interest: nobody's window depends on it.
                let _ = self.expectation.settle(sequence, &mut self.arrivals);
            }
        }
        let Some(packet_id) = publish.packet_id else { return Ok(()) };
        let ack = Ack { packet_id, reason: ReasonCode::Success, properties: Properties::EMPTY };
        Ok(ack.encode(AckKind::PubAck, VERSION, &mut self.answers)?)
    }
}
