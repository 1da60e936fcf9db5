//! Which statement turned a direct message away.

use broker::Settled;
use engine::outcome::DirectOutcome;
use engine::question::Question;
use mqtt::{ClientId, TopicName};
use serde_json::Value;

use super::Ledger;
use crate::explanation::of_denial;

impl Ledger {
    /// Why policies refused the message, if they did and the sender may know.
    pub(crate) fn explanation(&self, settled: &Settled) -> Option<Value> {
        let by_sender = settled.outcome == DirectOutcome::SenderUnauthorized;
        if !by_sender && settled.outcome != DirectOutcome::ReceiverUnauthorized {
            return None;
        }
        let client_id = ClientId::parse(self.request.client_id.as_deref()?).ok()?;
        let topic = TopicName::parse(self.request.topic.as_deref()?).ok()?;
        let asked = Question::send_direct(&self.sender, &client_id, topic);
        if by_sender {
            return of_denial(self.node(), &asked, &asked);
        }
        let device = self.node().peer_of(client_id.as_str(), settled.epoch?)?;
        of_denial(self.node(), &asked, &Question::receive(&device, topic))
    }
}
