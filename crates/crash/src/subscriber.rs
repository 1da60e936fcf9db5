//! A client that subscribes and takes what comes.

use std::collections::{HashMap, VecDeque};
use std::thread;
use std::time::{Duration, Instant};

use mqtt::{
    Ack, Packet, PacketId, Properties, QoS, Subscribe, SubscribeOptions, Unsubscribe, Version,
};

use crate::chance::Chance;
use crate::link::{Came, Heard, Link, Lost};
use crate::message::Message;
use crate::session::Session;
use crate::stage::{PATIENCE, Phase, Stage};
use crate::subscriptions::Subscription;

/// Filters to choose from; together they match everything, some of it more than once.
const FILTERS: [&str; 6] = ["load/#", "load/0/+", "load/1/+", "load/+/0", "load/+/1", "load/2/2"];
/// How many subscriptions a subscriber has at most.
const AT_ONCE: usize = 3;
/// How long a subscriber listens before it does something else.
const PACE: Duration = Duration::from_millis(2);
/// Once in so many rounds it subscribes or unsubscribes.
const REQUESTS: u64 = 10;
/// Once in so many rounds it goes.
const LEAVES: u64 = 60;
/// Once in so many times that it goes it gives up its session.
const DISCARDS: u64 = 6;
/// How long it stays away, in milliseconds.
const AWAY_MILLIS: u64 = 300;
/// A slow subscriber acknowledges once in so many rounds.
const SLOWNESS: u64 = 12;
/// What its requests, and the message that it sends at its end, are known by.
const REQUEST_ID: u16 = 60_000;

/// A message that was handed to the application.
#[derive(Clone, Debug)]
pub(crate) struct Delivered {
    pub(crate) message: Message,
    /// The session by which it came.
    pub(crate) generation: u64,
}

/// What a subscriber did and got.
#[derive(Debug)]
pub(crate) struct Receipts {
    pub(crate) client_id: String,
    pub(crate) qos: QoS,
    /// The session that it has at the end.
    pub(crate) generation: u64,
    pub(crate) subscriptions: Vec<Subscription>,
    pub(crate) delivered: Vec<Delivered>,
}

/// Makes an acknowledgement a packet.
type Answer = fn(Ack<'static>) -> Packet<'static>;

impl Receipts {
    /// What it subscribed to that matches a topic, in that session and the one before.
    pub(crate) fn near(&self, generation: u64, topic: &str) -> Vec<&Subscription> {
        let near = |one: &&Subscription| {
            (generation.saturating_sub(1)..=generation).contains(&one.generation)
        };
        self.subscriptions.iter().filter(near).filter(|one| one.matches(topic)).collect()
    }
}

/// The client.
pub(crate) struct Subscriber<'a> {
    stage: &'a Stage,
    index: usize,
    chance: Chance,
    session: Session<'a>,
    qos: QoS,
    subscriptions: Vec<Subscription>,
    delivered: Vec<Delivered>,
    /// The messages at QoS 2 that the server has not released, by packet ID ([MQTT-4.3.3-10]).
    unreleased: HashMap<u16, Message>,
    /// Acknowledgements that were not sent yet on this connection.
    owed: VecDeque<(Answer, u16)>,
}

impl<'a> Subscriber<'a> {
    pub(crate) fn new(stage: &'a Stage, index: usize) -> Self {
        let version = if index.is_multiple_of(2) { Version::V5 } else { Version::V311 };
        Subscriber {
            stage,
            index,
            chance: Chance::new(stage.seed, 2000 + index as u64),
            session: Session::new(stage, format!("subscriber-{index}"), version),
            qos: if index == 5 { QoS::AtLeastOnce } else { QoS::ExactlyOnce },
            subscriptions: Vec::new(),
            delivered: Vec::new(),
            unreleased: HashMap::new(),
            owed: VecDeque::new(),
        }
    }

    /// Subscribes and takes messages until nothing is owed to it any more.
    pub(crate) fn run(mut self) -> Receipts {
        let mut patience = None;
        loop {
            if let Some((link, _)) = self.session.open() {
                self.owed.clear();
                let drained = self.serve(link);
                if self.session.hear_out(drained) == Some(true) {
                    break;
                }
            }
            if self.stage.has_reached(Phase::Drain)
                && patience.get_or_insert_with(Instant::now).elapsed() > PATIENCE
            {
                self.session.accuse("what it is owed did not come in time");
                break;
            }
            if self.is_often_away() && !self.stage.has_reached(Phase::Drain) {
                thread::sleep(self.chance.millis(0..AWAY_MILLIS));
            }
        }
        Receipts {
            client_id: self.session.client_id.clone(),
            qos: self.qos,
            generation: self.session.generation,
            subscriptions: self.subscriptions,
            delivered: self.delivered,
        }
    }

    /// The first two subscribe to everything once and stay; the others come and go.
    fn is_steady(&self) -> bool {
        self.index < 2
    }

    fn is_often_away(&self) -> bool {
        !self.is_steady() && self.index.is_multiple_of(2)
    }

    fn is_slow(&self) -> bool {
        self.index % 3 == 1
    }

    /// One connection; true if nothing is owed to it any more.
    fn serve(&mut self, mut link: Link) -> Result<bool, Lost> {
        let mut asked = self.repeat_requests(&mut link)?;
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if self.stage.has_reached(Phase::Drain) && !asked {
                return self.drain(&mut link);
            }
            if !self.stage.has_reached(Phase::Drain) && self.chance.once_in(LEAVES) {
                return self.leave(link).map(|()| false);
            }
            if !asked {
                asked = self.request(&mut link)?;
            }
            let mut heard = link.hear(PACE)?;
            while let Some(one) = heard {
                if self.handle(one)? {
                    asked = false;
                }
                heard = link.hear(Duration::ZERO)?;
            }
            if !self.is_slow() || self.chance.once_in(SLOWNESS) || asked {
                self.acknowledge(&mut link)?;
            }
        }
        Ok(false)
    }

    fn leave(&mut self, link: Link) -> Result<(), Lost> {
        if !self.is_steady() && self.chance.once_in(DISCARDS) {
            self.session.discard();
            self.unreleased.clear();
        }
        if self.chance.once_in(2) {
            link.leave();
        }
        Ok(())
    }

    /// Sends the request again that was not answered on the last connection; true if there is one.
    fn repeat_requests(&mut self, link: &mut Link) -> Result<bool, Lost> {
        let generation = self.session.generation;
        let pending = self.subscriptions.iter().rposition(|subscription| {
            subscription.generation == generation && subscription.is_pending()
        });
        match pending {
            Some(at) => self.ask(at, link).map(|()| true),
            None => Ok(false),
        }
    }

    /// Subscribes or unsubscribes, or does nothing; true if an answer is awaited.
    fn request(&mut self, link: &mut Link) -> Result<bool, Lost> {
        let generation = self.session.generation;
        let present = |subscription: &Subscription| {
            subscription.generation == generation && subscription.left.is_none()
        };
        let held: Vec<usize> =
            (0..self.subscriptions.len()).filter(|at| present(&self.subscriptions[*at])).collect();
        let bored = held.is_empty() || (!self.is_steady() && self.chance.once_in(REQUESTS));
        if !bored || self.stage.has_reached(Phase::Finish) {
            return Ok(false);
        }
        if held.len() >= AT_ONCE || (!held.is_empty() && self.chance.once_in(3)) {
            let at = held[self.chance.within(0..held.len() as u64) as usize];
            self.subscriptions[at].leaving = Some(self.stage.stamp());
            return self.ask(at, link).map(|()| true);
        }
        let chosen = if self.is_steady() { 0 } else { self.chance.within(0..6) as usize };
        let filter = FILTERS[chosen];
        if held.iter().any(|at| self.subscriptions[*at].filter == filter) {
            return Ok(false);
        }
        let asked = self.stage.stamp();
        self.subscriptions.push(Subscription::new(filter.to_owned(), generation, asked));
        self.ask(self.subscriptions.len() - 1, link).map(|()| true)
    }

    fn ask(&self, at: usize, link: &mut Link) -> Result<(), Lost> {
        let subscription = &self.subscriptions[at];
        let packet_id = PacketId::new(REQUEST_ID).expect("packet IDs begin at 1");
        let (properties, filter) = (Properties::EMPTY, subscription.filter.as_str());
        if subscription.granted.is_none() {
            return self.subscribe(filter, link);
        }
        link.send(&Packet::Unsubscribe(Unsubscribe {
            packet_id,
            properties,
            filters: vec![filter],
        }))
    }

    fn subscribe(&self, filter: &str, link: &mut Link) -> Result<(), Lost> {
        let packet_id = PacketId::new(REQUEST_ID).expect("packet IDs begin at 1");
        let options = SubscribeOptions { qos: self.qos, ..SubscribeOptions::default() };
        let (properties, filters) = (Properties::EMPTY, vec![(filter, options)]);
        link.send(&Packet::Subscribe(Subscribe { packet_id, properties, filters }))
    }

    /// What the server said; true if it answered the request.
    fn handle(&mut self, heard: Heard) -> Result<bool, Lost> {
        match heard {
            Heard::Message(came) => self.take(came).map(|()| false),
            Heard::PubRel(id) => {
                self.unreleased.remove(&id);
                self.owed.push_back((Packet::PubComp, id));
                Ok(false)
            }
            Heard::SubAck(reasons) if reasons.iter().all(|reason| !reason.is_error()) => {
                self.answered(|subscription| &mut subscription.granted)
            }
            Heard::UnsubAck => self.answered(|subscription| &mut subscription.left),
            Heard::PubAck(..) | Heard::PubRec(..) | Heard::PubComp(_) | Heard::SubAck(_) => {
                Err(Lost::Wrong(format!("the server sent {heard:?}, which nobody asked for")))
            }
        }
    }

    fn answered(
        &mut self,
        when: impl Fn(&mut Subscription) -> &mut Option<u64>,
    ) -> Result<bool, Lost> {
        let generation = self.session.generation;
        let pending = self.subscriptions.iter_mut().rfind(|subscription| {
            subscription.generation == generation && subscription.is_pending()
        });
        let Some(subscription) = pending else {
            return Err(Lost::Wrong("the server answered a request that nobody made".to_owned()));
        };
        *when(subscription) = Some(self.stage.stamp());
        Ok(true)
    }

    /// A message, once to the application at QoS 2.
    fn take(&mut self, came: Came) -> Result<(), Lost> {
        let Came { topic, payload, qos, retain, id } = came;
        let message = Message::recognise(self.stage.seed, &topic, &payload).ok_or_else(|| {
            let bytes = payload.len();
            Lost::Wrong(format!("a message of {bytes} bytes on {topic} is not one that was sent"))
        })?;
        if qos != message.qos.min(self.qos) || retain || message.retain {
            let what = format!("{topic} {}: QoS {qos:?}, retain {retain}", message.number);
            return Err(Lost::Wrong(format!("a message came otherwise than it was sent: {what}")));
        }
        let generation = self.session.generation;
        if qos == QoS::ExactlyOnce {
            self.owed.push_back((Packet::PubRec, id));
            match self.unreleased.get(&id) {
                Some(known) if *known == message => return Ok(()),
                Some(known) => {
                    let (old, new) = (known.number, message.number);
                    return Err(Lost::Wrong(format!(
                        "packet ID {id} means number {new} on {topic} and was {old} on {} before",
                        known.topic
                    )));
                }
                None => drop(self.unreleased.insert(id, message.clone())),
            }
        } else {
            self.owed.push_back((Packet::PubAck, id));
        }
        self.delivered.push(Delivered { message, generation });
        Ok(())
    }

    fn acknowledge(&mut self, link: &mut Link) -> Result<(), Lost> {
        while let Some((kind, id)) = self.owed.pop_front() {
            link.acknowledge(kind, id)?;
        }
        Ok(())
    }

    /// Everything that is owed comes before a message that is published now.
    fn drain(&mut self, link: &mut Link) -> Result<bool, Lost> {
        let marker = format!("end/{}", self.index);
        self.subscribe(&marker, link)?;
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            match link.hear(PACE)? {
                Some(Heard::SubAck(_)) => {
                    let qos = QoS::AtLeastOnce;
                    let (payload, retain, id) = (Vec::new(), false, REQUEST_ID);
                    link.publish(&Came { topic: marker.clone(), payload, qos, retain, id }, false)?;
                }
                Some(Heard::PubAck(..)) | None => {}
                Some(Heard::Message(came)) if came.topic == marker => return Ok(true),
                Some(heard) => drop(self.handle(heard)?),
            }
            self.acknowledge(link)?;
        }
        Ok(false)
    }
}
