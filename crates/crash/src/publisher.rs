//! A client that publishes and keeps what is not acknowledged.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use mqtt::{Packet, QoS, ReasonCode, Version};

use crate::chance::Chance;
use crate::link::{Came, Heard, Link, Lost};
use crate::message::Message;
use crate::retained;
use crate::session::Session;
use crate::stage::{PATIENCE, Phase, Stage, Stamp};

/// Messages on their way at once.
const WINDOW: usize = 8;
/// How long a publisher listens before it publishes more.
const PACE: Duration = Duration::from_millis(1);
/// Once in so many rounds the connection is dropped.
const DROPS: u64 = 100;
/// Once in so many of these times the session is discarded.
const DISCARDS: u64 = 4;

/// What became of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    /// When it was sent for the first time.
    pub(crate) first: Stamp,
    /// When the server took it: PUBACK, or PUBREC at QoS 2.
    pub(crate) acknowledged: Option<Stamp>,
}

/// What a publisher did.
#[derive(Debug, Default)]
pub(crate) struct Publications {
    /// By the number of the message.
    pub(crate) sent: Vec<Sent>,
    /// How many retained messages were compared.
    pub(crate) retained_checked: u64,
}

/// A message on its way.
struct Flight {
    number: usize,
    id: u16,
    qos: QoS,
    /// The server has it, at QoS 2; PUBCOMP is missing.
    received: bool,
}

/// The client.
pub(crate) struct Publisher<'a> {
    stage: &'a Stage,
    index: usize,
    chance: Chance,
    session: Session<'a>,
    flights: VecDeque<Flight>,
    done: Publications,
    /// The server process whose retained messages were compared last.
    compared: u64,
}

impl<'a> Publisher<'a> {
    pub(crate) fn new(stage: &'a Stage, index: usize) -> Self {
        let version = if index.is_multiple_of(2) { Version::V311 } else { Version::V5 };
        Publisher {
            stage,
            index,
            chance: Chance::new(stage.seed, 1000 + index as u64),
            session: Session::new(stage, format!("publisher-{index}"), version),
            flights: VecDeque::new(),
            done: Publications::default(),
            compared: 0,
        }
    }

    /// Publishes until the load ends and everything is acknowledged.
    pub(crate) fn run(mut self) -> Publications {
        let mut patience = None;
        loop {
            if let Some((link, place)) = self.session.open() {
                if place.life > self.compared {
                    let compared = self.compare_retained(place.address);
                    if self.session.hear_out(compared).is_some() {
                        self.compared = place.life;
                    }
                }
                let finished = self.serve(link);
                if self.session.hear_out(finished) == Some(true) {
                    return self.done;
                }
            }
            if self.stage.has_reached(Phase::Finish)
                && patience.get_or_insert_with(Instant::now).elapsed() > PATIENCE
            {
                self.session.accuse("what it sent was not acknowledged in time");
                return self.done;
            }
        }
    }

    /// One connection; true if there is nothing left to do.
    fn serve(&mut self, mut link: Link) -> Result<bool, Lost> {
        self.resend(&mut link)?;
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            let finishing = self.stage.has_reached(Phase::Finish);
            if finishing && self.flights.is_empty() {
                return Ok(true);
            }
            if !finishing && self.chance.once_in(DROPS) {
                if self.chance.once_in(DISCARDS) {
                    // What was not acknowledged is in doubt, and not sent again.
                    self.flights.clear();
                    self.session.discard();
                }
                return Ok(false);
            }
            let room = WINDOW - self.flights.len();
            if !finishing && room > 0 {
                for _ in 0..self.chance.within(0..room as u64 + 1) {
                    self.publish(&mut link)?;
                }
            }
            let mut heard = link.hear(PACE)?;
            while let Some(one) = heard {
                self.handle(&one, &mut link)?;
                heard = link.hear(Duration::ZERO)?;
            }
        }
        Ok(false)
    }

    fn publish(&mut self, link: &mut Link) -> Result<(), Lost> {
        let number = self.done.sent.len();
        let message = Message::new(self.stage.seed, self.index, number);
        // The lowest ID that is free: the same few mean ever new messages.
        let taken = |id: &u16| self.flights.iter().any(|flight| flight.id == *id);
        let id = (1..).find(|id| !taken(id)).expect("the window is small");
        self.flights.push_back(Flight { number, id, qos: message.qos, received: false });
        self.done.sent.push(Sent { first: self.stage.stamp(), acknowledged: None });
        link.publish(&packet(message, id), false)
    }

    /// What was not acknowledged on the last connection, in its order ([MQTT-4.4.0-1],
    /// [MQTT-4.6.0-1]).
    fn resend(&mut self, link: &mut Link) -> Result<(), Lost> {
        for flight in &self.flights {
            if flight.received {
                link.acknowledge(Packet::PubRel, flight.id)?;
            } else {
                let message = Message::new(self.stage.seed, self.index, flight.number);
                link.publish(&packet(message, flight.id), true)?;
            }
        }
        Ok(())
    }

    fn handle(&mut self, heard: &Heard, link: &mut Link) -> Result<(), Lost> {
        match *heard {
            Heard::PubAck(id, reason) => {
                self.take(id, reason, QoS::AtLeastOnce, heard)?;
                self.flights.retain(|flight| flight.id != id);
                Ok(())
            }
            Heard::PubRec(id, reason) => {
                self.take(id, reason, QoS::ExactlyOnce, heard)?;
                link.acknowledge(Packet::PubRel, id)
            }
            Heard::PubComp(id) => {
                let position = self.flights.iter().position(|flight| flight.id == id);
                let done = position.filter(|position| self.flights[*position].received);
                done.and_then(|position| self.flights.remove(position))
                    .ok_or_else(|| wrong(heard))?;
                Ok(())
            }
            Heard::Message(_) | Heard::PubRel(_) | Heard::SubAck(_) | Heard::UnsubAck => {
                Err(wrong(heard))
            }
        }
    }

    /// The server has a message.
    fn take(&mut self, id: u16, reason: ReasonCode, qos: QoS, heard: &Heard) -> Result<(), Lost> {
        let flight = self.flights.iter_mut().find(|flight| flight.id == id && flight.qos == qos);
        let flight = flight.filter(|_| !reason.is_error()).ok_or_else(|| wrong(heard))?;
        flight.received = true;
        let sent = &mut self.done.sent[flight.number];
        sent.acknowledged.get_or_insert_with(|| self.stage.stamp());
        Ok(())
    }

    /// What a new process retains, before anything is sent again, has to be what the old one was
    /// left with.
    fn compare_retained(&mut self, address: std::net::SocketAddr) -> Result<(), Lost> {
        let found = retained::look(address, self.stage.seed, self.index)?;
        let (checked, wrong) =
            retained::compare(self.stage.seed, self.index, &self.done.sent, &found);
        self.done.retained_checked += checked;
        wrong.iter().for_each(|what| self.session.accuse(what));
        Ok(())
    }
}

fn packet(message: Message, id: u16) -> Came {
    let Message { topic, qos, retain, payload, .. } = message;
    Came { topic, payload, qos, retain, id }
}

fn wrong(heard: &Heard) -> Lost {
    Lost::Wrong(format!("the server sent {heard:?}, which answers nothing that was sent"))
}
