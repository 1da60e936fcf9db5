//! One of those who publish for sessions that are offline.

use mqtt::{AckKind, Packet, ReasonCode, TopicName, decode};

use super::plan::{PATIENCE, QOS, QueuePlan, VERSION, silence};
use crate::failure::Failure;
use crate::link::{Link, Loss, MAX_PACKET};
use crate::outbound::Outbound;
use crate::session::Session;
use crate::template::Template;

/// A connected publisher and its messages.
pub(super) struct Publisher {
    client_id: String,
    link: Link,
    outbound: Outbound,
    window: u32,
    /// One for each of its sessions.
    templates: Vec<Template>,
    /// Messages for each of its sessions.
    messages: u64,
    /// Messages sent.
    sent: u64,
    /// PUBACKs that do not follow from what was sent, refuse it, or say that nobody subscribes.
    refused: u64,
}

impl Publisher {
    /// Connects publisher `number`, which publishes for every session whose number is that far from
    /// a multiple of the number of publishers.
    ///
    /// # Errors
    /// When the broker does not accept it.
    pub(super) async fn connect(plan: &QueuePlan, number: u32) -> Result<Self, Failure> {
        let client_id = format!("load-p{number}");
        let (link, allowed) = plan.connect(&client_id, Session::Transient).await?;
        let sessions = (number..plan.sessions).step_by(plan.publishers as usize);
        let templates = sessions.map(|session| {
            let topic = QueuePlan::topic(session);
            let topic = TopicName::parse(&topic).expect("letters, digits and slashes");
            Template::new((topic, session), QOS, VERSION, plan.payload)
        });
        let templates: Result<_, _> = templates.collect();
        Ok(Self {
            client_id,
            link,
            outbound: Outbound::new(QOS, allowed),
            window: plan.window,
            templates: templates.map_err(|error| Failure::Option(error.to_string()))?,
            messages: plan.messages.into(),
            sent: 0,
            refused: 0,
        })
    }

    /// Publishes for one session after the other, again and again, until all is acknowledged: how
    /// many PUBACKs were not as they should be.
    ///
    /// # Errors
    /// When the connection ends or the broker falls silent.
    pub(super) async fn publish(mut self, plan: &QueuePlan) -> Result<u64, Failure> {
        let lost = |client_id: &str, loss: Loss| plan.lost(client_id, loss.to_string());
        let total = self.templates.len() as u64 * self.messages;
        let mut out = Vec::new();
        loop {
            self.fill(total, &mut out);
            let sent = self.link.send(&out).await;
            sent.map_err(|error| lost(&self.client_id, error.into()))?;
            out.clear();
            if self.sent == total && self.outbound.unfinished() == 0 {
                break;
            }
            let read = tokio::time::timeout(PATIENCE, self.link.read()).await;
            let read = read.map_err(|_| plan.lost(&self.client_id, silence()))?;
            read.map_err(|loss| lost(&self.client_id, loss))?;
            self.handle_received(&mut out).map_err(|loss| lost(&self.client_id, loss))?;
        }
        let left = self.link.leave().await;
        left.map_err(|error| lost(&self.client_id, error.into()))?;
        Ok(self.refused)
    }

    /// Appends all that may be sent now.
    fn fill(&mut self, total: u64, out: &mut Vec<u8>) {
        let unacknowledged = self.outbound.unfinished() as u32;
        let room = self.outbound.room().min(self.window.saturating_sub(unacknowledged));
        for _ in 0..u64::from(room).min(total - self.sent) {
            let sessions = self.templates.len() as u64;
            let (sequence, session) = (self.sent / sessions, self.sent % sessions);
            self.templates[session as usize].write(sequence, self.outbound.publish(), out);
            self.sent += 1;
        }
    }

    fn handle_received(&mut self, out: &mut Vec<u8>) -> Result<(), Loss> {
        let Self { link, outbound, refused, .. } = self;
        let mut used = 0;
        while let Some((packet, len)) = decode(&link.received[used..], VERSION, MAX_PACKET)? {
            used += len;
            if let Packet::PubAck(ack) = packet {
                let good = outbound.acknowledge((AckKind::PubAck, &ack), VERSION, out)?;
                let queued = ack.reason != ReasonCode::NoMatchingSubscribers;
                *refused += u64::from(!(good && queued));
            } else if let Packet::Disconnect(disconnect) = packet {
                return Err(Loss::Disconnected(disconnect.reason));
            } else {
                return Err(Loss::Unexpected(packet.name()));
            }
        }
        link.received.drain(..used);
        Ok(())
    }
}
