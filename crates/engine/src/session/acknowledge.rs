//! Acknowledgements: the client's of our messages, and ours of its messages and requests.

use mqtt::{
    Ack, Packet, PacketId, Properties, PropertiesBuf, QoS, ReasonCode, SubAck, UnsubAck, Version,
};

use super::backlog::pubrel;
use super::change::Change;
use super::hold::Wait;
use super::packet::Step;
use super::{Session, reason_string};
use crate::close::CloseReason;
use crate::direct::Settlement;
use crate::inflight::{Released, Slot};
use crate::{Moment, Ticket};

impl<W> Session<W> {
    pub(super) fn handle_puback<'a>(&mut self, ack: &Ack<'_>, now: Moment) -> Step<'a, W> {
        let expected = match self.inflight.slot(ack.packet_id) {
            Some(Slot::Kept(entry, _)) => entry.qos,
            Some(Slot::Once(qos)) => *qos,
            Some(Slot::Released(..)) => QoS::ExactlyOnce,
            Some(Slot::Direct { .. }) => QoS::AtLeastOnce,
            // A PUBACK that comes after its connection's message was forgotten, or a repetition;
            // the standards name no error for it.
            None => return Step::Nothing,
        };
        if expected == QoS::ExactlyOnce {
            return Step::Close(CloseReason::ClientError(ReasonCode::ProtocolError));
        }
        match self.inflight.acknowledge(ack.packet_id) {
            Some(Slot::Direct { waiter, .. }) => {
                let settlement = if ack.reason.is_error() {
                    Settlement::Rejected { code: ack.reason, at: now }
                } else {
                    Settlement::Acknowledged { at: now }
                };
                Step::Settled(waiter, settlement)
            }
            Some(Slot::Kept(entry, _)) => {
                self.record(|| Change::Removed { seq: entry.seq });
                Step::Acknowledged
            }
            Some(Slot::Once(_)) => Step::Acknowledged,
            Some(Slot::Released(..)) | None => Step::Nothing,
        }
    }

    /// PUBREC: the client has the message; it may be told to release the packet ID once that is
    /// durable ([MQTT-4.3.3-4] and its like). An error ends the exchange.
    pub(super) fn handle_pubrec<'a>(
        &mut self,
        ack: &Ack<'_>,
        now: Moment,
        out: &mut Vec<u8>,
    ) -> Step<'a, W> {
        let id = ack.packet_id;
        let seq = match self.inflight.slot(id) {
            Some(Slot::Kept(entry, _)) if entry.qos == QoS::ExactlyOnce => Some(entry.seq),
            Some(Slot::Once(QoS::ExactlyOnce)) => None,
            Some(Slot::Released(..)) => {
                self.emit(&pubrel(id), Wait::No, out);
                return Step::Nothing;
            }
            None => {
                self.emit(&self.unknown_id(id, Packet::PubRel), Wait::No, out);
                return Step::Nothing;
            }
            Some(Slot::Kept(..) | Slot::Once(_) | Slot::Direct { .. }) => {
                return Step::Close(CloseReason::ClientError(ReasonCode::ProtocolError));
            }
        };
        if ack.reason.is_error() {
            self.inflight.acknowledge(id);
            if let Some(seq) = seq {
                self.record(|| Change::Removed { seq });
            }
            return Step::Nothing;
        }
        self.inflight.release_message(id, Released { seq }, now);
        let recorded = seq.filter(|_| self.recorded);
        if let Some(seq) = recorded {
            self.record(|| Change::Released { seq, packet_id: id });
        }
        // Were the PUBREL to come first and then a crash, the message would be sent anew under a
        // packet ID that the client has forgotten.
        let wait = recorded.map_or(Wait::No, |_| Wait::ForChanges);
        self.emit(&pubrel(id), wait, out);
        Step::Nothing
    }

    /// PUBCOMP: nothing is left of the message ([MQTT-4.3.3-7]).
    pub(super) fn handle_pubcomp<'a>(&mut self, ack: &Ack<'_>) -> Step<'a, W> {
        match self.inflight.slot(ack.packet_id) {
            Some(Slot::Released(released, _)) => {
                let seq = released.seq;
                self.inflight.acknowledge(ack.packet_id);
                if let Some(seq) = seq {
                    self.record(|| Change::Removed { seq });
                }
                Step::Nothing
            }
            None => Step::Nothing,
            Some(Slot::Kept(..) | Slot::Once(_) | Slot::Direct { .. }) => {
                Step::Close(CloseReason::ClientError(ReasonCode::ProtocolError))
            }
        }
    }

    /// PUBREL: the packet ID is free for another message, which PUBCOMP says once it is durable
    /// ([MQTT-4.3.3-11] and its like).
    pub(super) fn handle_pubrel<'a>(&mut self, ack: &Ack<'_>, out: &mut Vec<u8>) -> Step<'a, W> {
        let id = ack.packet_id;
        let known = self.memory.as_mut().is_some_and(|memory| memory.received.remove(&id));
        if known {
            self.record(|| Change::Forgotten(id));
        }
        let packet = if known {
            let properties = Properties::EMPTY;
            Packet::PubComp(Ack { packet_id: id, reason: ReasonCode::Success, properties })
        } else {
            self.unknown_id(id, Packet::PubComp)
        };
        let wait = if known && self.recorded { Wait::ForChanges } else { Wait::No };
        self.emit(&packet, wait, out);
        Step::Nothing
    }

    /// A message at QoS 2 is about to be taken: it is not taken a second time until the client
    /// releases its packet ID ([MQTT-4.3.3-10]).
    pub fn receive(&mut self, packet_id: PacketId) {
        self.received_mut().insert(packet_id);
        self.record(|| Change::Received(packet_id));
    }

    /// A message at QoS 2 is refused after all: its packet ID is free for another.
    pub fn refuse(&mut self, packet_id: PacketId) {
        if self.memory.as_mut().is_some_and(|memory| memory.received.remove(&packet_id)) {
            self.record(|| Change::Forgotten(packet_id));
        }
    }

    /// Appends the PUBACK or PUBREC of a publish, once `durable` is ([MQTT-4.3.2-4],
    /// [MQTT-4.3.3-8]).
    pub fn acknowledge(
        &mut self,
        packet_id: PacketId,
        qos: QoS,
        refused: Option<(ReasonCode, &str)>,
        durable: Ticket,
        out: &mut Vec<u8>,
    ) {
        let (reason, sentence) = match refused {
            None => (ReasonCode::Success, None),
            Some((code, sentence)) => (code, Some(sentence)),
        };
        let said = self.reason_string(sentence);
        let full = Ack { packet_id, reason, properties: said.as_properties() };
        let ack = if self.has_room_for(full.properties) {
            full
        } else {
            Ack { properties: Properties::EMPTY, ..full }
        };
        let wait = wait(durable);
        match qos {
            QoS::AtMostOnce => {}
            QoS::AtLeastOnce => self.emit_counted(&Packet::PubAck(ack), wait, true, out),
            QoS::ExactlyOnce => self.emit_counted(&Packet::PubRec(ack), wait, false, out),
        }
    }

    /// Appends the SUBACK, once `durable` is: what it grants is there after a crash.
    pub fn answer_subscribe(
        &mut self,
        packet_id: PacketId,
        reasons: Vec<ReasonCode>,
        durable: Ticket,
        out: &mut Vec<u8>,
    ) {
        let refused = reasons.iter().find(|code| code.is_error());
        let said = self.reason_string(refused.map(|code| why_refused(*code)));
        let full = SubAck { packet_id, properties: said.as_properties(), reasons };
        let suback = if self.has_room_for(full.properties) {
            full
        } else {
            SubAck { properties: Properties::EMPTY, ..full }
        };
        self.emit(&Packet::SubAck(suback), wait(durable), out);
    }

    /// Appends the UNSUBACK, once `durable` is: what it removed does not come back after a crash.
    pub fn answer_unsubscribe(
        &mut self,
        packet_id: PacketId,
        reasons: Vec<ReasonCode>,
        durable: Ticket,
        out: &mut Vec<u8>,
    ) {
        let unsuback = UnsubAck { packet_id, properties: Properties::EMPTY, reasons };
        self.emit(&Packet::UnsubAck(unsuback), wait(durable), out);
    }

    /// The properties that say why an acknowledgement refuses, if the client wants to know
    /// ([MQTT-3.1.2-29]).
    fn reason_string(&self, sentence: Option<&str>) -> PropertiesBuf {
        reason_string(self.version, sentence.filter(|_| self.problem_information))
    }

    /// Whether an acknowledgement with these properties is within the client's Maximum Packet Size
    /// ([MQTT-3.4.2-2], [MQTT-3.5.2-2], [MQTT-3.9.2-1]).
    fn has_room_for(&self, properties: Properties<'_>) -> bool {
        properties.as_bytes().len() + ACKNOWLEDGEMENT_BYTES <= self.packet_size_max as usize
    }

    /// PUBREL or PUBCOMP for a packet ID that nothing is known of; MQTT 5 can say so.
    fn unknown_id(
        &self,
        packet_id: PacketId,
        kind: fn(Ack<'static>) -> Packet<'static>,
    ) -> Packet<'static> {
        let reason = match self.version {
            Version::V5 => ReasonCode::PacketIdentifierNotFound,
            Version::V311 => ReasonCode::Success,
        };
        kind(Ack { packet_id, reason, properties: Properties::EMPTY })
    }
}

/// More than an acknowledgement has without its properties; a SUBACK with as many filters as would
/// make it larger has other worries.
const ACKNOWLEDGEMENT_BYTES: usize = 64;

fn wait(durable: Ticket) -> Wait {
    if durable == Ticket::NONE { Wait::No } else { Wait::Until(durable) }
}

/// One sentence for the code of a filter that was refused.
fn why_refused(code: ReasonCode) -> &'static str {
    if code == ReasonCode::NotAuthorized {
        "The policies do not allow a filter."
    } else if code == ReasonCode::QuotaExceeded {
        "A quota on subscriptions is exceeded."
    } else if code == ReasonCode::TopicFilterInvalid {
        "A filter is malformed, too long or not open to clients."
    } else {
        "A filter could not be subscribed."
    }
}
