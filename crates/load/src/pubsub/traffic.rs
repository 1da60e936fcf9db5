//! The event loop: who has room publishes, who receives counts.

use std::io;
use std::time::{Duration, Instant};

use mqtt::{
    Ack, AckKind, Packet, PacketId, Properties, Publish, QoS, ReasonCode, TopicName, decode,
};

use super::flight::Flight;
use super::measured::{Counted, Measured, Snapshot, Timings};
use super::pace::{Clock, Pace, Timetable};
use super::peer::{MAX_PACKET, Peer};
use super::plan::PubsubPlan;
use super::publisher::Publisher;
use super::subscriber::Subscriber;
use crate::failure::Failure;
use crate::outbound::Outbound;
use crate::poller::{Interest, Poller};
use crate::template::{Label, Template};
use crate::window::Window;

/// The most that is read at once.
const READ_LEN: usize = 64 * 1024;
/// How long what is on its way at the end may take.
const GRACE: Duration = Duration::from_secs(10);
/// The poller's token of the alarm; peers have their numbers.
const ALARM: u64 = u64::MAX;

/// All connections and what is known of their messages.
pub(crate) struct Traffic<'a> {
    plan: &'a PubsubPlan,
    poller: Poller,
    /// Publishers by number, then the subscribers of the first one, of the second one, and so on.
    peers: Vec<Peer>,
    publishers: Vec<Publisher>,
    subscribers: Vec<Subscriber>,
    /// Publishers with enough room for a write that is worth it.
    due: Vec<u32>,
    /// Of an open loop.
    clock: Option<Clock>,
    window: Window,
    counted: Counted,
    timings: Timings,
    buffer: Box<[u8]>,
    out: Vec<u8>,
}

fn failed(source: io::Error) -> Failure {
    Failure::System { what: "waiting for sockets", source }
}

impl<'a> Traffic<'a> {
    /// Connects and subscribes everybody, one after the other.
    ///
    /// # Errors
    /// The first one that does not get in.
    pub(crate) fn connect(plan: &'a PubsubPlan) -> Result<Self, Failure> {
        let mut peers = Vec::new();
        let mut publishers = Vec::new();
        for number in 0..plan.publishers {
            let (peer, allowed) = Peer::connect(plan, &format!("load-p{number}"))?;
            let topic = PubsubPlan::topic(number);
            let topic = TopicName::parse(&topic).expect("letters, digits and slashes");
            let template = Template::new((topic, number), plan.qos, plan.version, plan.payload);
            let template = template.map_err(|error| Failure::Option(error.to_string()))?;
            let flight = Flight::new(plan.fan, plan.window);
            publishers.push(Publisher::new(template, flight, Outbound::new(plan.qos, allowed)));
            peers.push(peer);
        }
        for number in 0..plan.subscribers() {
            let (mut peer, _) = Peer::connect(plan, &format!("load-s{number}"))?;
            peer.subscribe(plan, &PubsubPlan::topic(number / plan.fan))?;
            peers.push(peer);
        }
        let poller = Poller::new().map_err(failed)?;
        for (token, peer) in (0..).zip(&peers) {
            peer.stop_waiting().map_err(failed)?;
            poller.add(peer, token, Interest::Both).map_err(failed)?;
        }
        Ok(Self {
            plan,
            poller,
            peers,
            publishers,
            subscribers: (0..plan.subscribers()).map(|_| Subscriber::default()).collect(),
            due: Vec::new(),
            clock: None,
            window: Window::new(Instant::now(), plan.warmup, plan.measured, GRACE),
            counted: Counted::default(),
            timings: Timings::new(),
            buffer: vec![0; READ_LEN].into_boxed_slice(),
            out: Vec::new(),
        })
    }

    /// Publishes for the time of the plan, and waits for what is then on its way.
    ///
    /// # Errors
    /// When a connection breaks or the broker says what nobody asked for.
    pub(crate) fn run(mut self) -> Result<Measured, Failure> {
        self.start()?;
        let from = self.publish_until(self.window.measure_from)?;
        let to = self.publish_until(self.window.measure_to)?;
        let unsent = self.publishers.iter().map(Publisher::unsent).sum();
        self.drain()?;
        Ok(Measured::new((&from, &to), self.counted, (self.timings, unsent)))
    }

    /// From now on everybody may publish.
    fn start(&mut self) -> Result<(), Failure> {
        let start = Instant::now();
        self.window = Window::new(start, self.plan.warmup, self.plan.measured, GRACE);
        let Some(rate) = self.plan.rate else {
            (0..self.plan.publishers).for_each(|number| self.note_room(number));
            return Ok(());
        };
        for (number, publisher) in (0..).zip(&mut self.publishers) {
            let timetable = Timetable::new(start, rate, (number, self.plan.publishers));
            publisher.pace = Pace::Open(timetable);
        }
        let clock = Clock::new(start, rate, self.plan.publishers).map_err(failed)?;
        self.poller.add(&clock, ALARM, Interest::Reading).map_err(failed)?;
        self.clock = Some(clock);
        Ok(())
    }

    fn publish_until(&mut self, end: Instant) -> Result<Snapshot, Failure> {
        loop {
            let now = Instant::now();
            self.release(now.min(end))?;
            self.publish(now)?;
            let left = end.saturating_duration_since(now);
            if left.is_zero() {
                return Ok(Snapshot::now(self.counted, self.plan.process));
            }
            self.handle_ready(left)?;
        }
    }

    /// In an open loop, lets all publishers send what is due before `now`.
    fn release(&mut self, now: Instant) -> Result<(), Failure> {
        let Some(mut clock) = self.clock.take() else { return Ok(()) };
        while let Some(number) = clock.next_before(now) {
            self.publishers[number as usize].pace.release();
            self.note_room(number);
        }
        let set = clock.set_alarm(now).map_err(failed);
        self.clock = Some(clock);
        set
    }

    /// Without publishing; what has not come by the deadline is lost.
    fn drain(&mut self) -> Result<(), Failure> {
        loop {
            let publishers = self.publishers.iter();
            let (awaited, unfinished) = publishers.fold((0, 0), |(a, u), publisher| {
                (a + publisher.flight.awaited(), u + publisher.outbound.unfinished())
            });
            let unreleased: u64 = self.subscribers.iter().map(Subscriber::unreleased).sum();
            let left = self.window.deadline.saturating_duration_since(Instant::now());
            if awaited + unfinished + unreleased == 0 || left.is_zero() {
                self.counted.arrivals.lost += awaited;
                self.counted.missing_acks = unfinished + unreleased;
                return Ok(());
            }
            self.handle_ready(left)?;
        }
    }

    /// Lets all that are due write what they may, in one write each.
    fn publish(&mut self, now: Instant) -> Result<(), Failure> {
        while let Some(number) = self.due.pop() {
            let publisher = &mut self.publishers[number as usize];
            publisher.queued = false;
            self.out.clear();
            self.counted.published += u64::from(publisher.fill(now, &mut self.out));
            let sent = self.peers[number as usize].send(&self.out);
            sent.map_err(|error| self.lost(number as usize, &error.to_string()))?;
        }
        Ok(())
    }

    fn handle_ready(&mut self, timeout: Duration) -> Result<(), Failure> {
        let count = self.poller.wait(Some(timeout)).map_err(failed)?;
        for event in 0..count {
            let ready = self.poller.ready(event);
            if ready.token == ALARM {
                continue;
            }
            let index = ready.token as usize;
            let mut buffer = std::mem::take(&mut self.buffer);
            let handled = self.handle_peer(index, ready.writable, &mut buffer);
            self.buffer = buffer;
            handled?;
        }
        Ok(())
    }

    /// Reads until nothing is left.
    fn handle_peer(
        &mut self,
        index: usize,
        writable: bool,
        buffer: &mut [u8],
    ) -> Result<(), Failure> {
        if writable {
            let flushed = self.peers[index].flush();
            flushed.map_err(|error| self.lost(index, &error.to_string()))?;
        }
        loop {
            let read = self.peers[index].read(buffer);
            let Some(read) = read.map_err(|error| self.lost(index, &error.to_string()))? else {
                return Ok(());
            };
            self.out.clear();
            self.handle_bytes(index, &buffer[..read], Instant::now())?;
            if !self.out.is_empty() {
                let sent = self.peers[index].send(&self.out);
                sent.map_err(|error| self.lost(index, &error.to_string()))?;
            }
            if read < buffer.len() {
                return Ok(());
            }
        }
    }

    /// Handles the packets that are complete and keeps the rest.
    fn handle_bytes(&mut self, index: usize, bytes: &[u8], now: Instant) -> Result<(), Failure> {
        let mut partial = std::mem::take(&mut self.peers[index].partial);
        let joined = !partial.is_empty();
        if joined {
            partial.extend_from_slice(bytes);
        }
        let all = if joined { &partial } else { bytes };
        let mut used = 0;
        loop {
            let decoded = decode(&all[used..], self.plan.version, MAX_PACKET);
            let decoded = decoded.map_err(|error| self.lost(index, &error.to_string()))?;
            let Some((packet, len)) = decoded else { break };
            used += len;
            match index.checked_sub(self.publishers.len()) {
                None => self.handle_acknowledgement(index, &packet)?,
                Some(subscriber) => self.handle_delivery(subscriber, &packet, now)?,
            }
        }
        if joined {
            partial.drain(..used);
        } else {
            partial.extend_from_slice(&bytes[used..]);
        }
        self.peers[index].partial = partial;
        Ok(())
    }

    /// A publisher got a packet.
    fn handle_acknowledgement(&mut self, index: usize, packet: &Packet<'_>) -> Result<(), Failure> {
        let (kind, ack) = if let Packet::PubAck(ack) = packet {
            (AckKind::PubAck, ack)
        } else if let Packet::PubRec(ack) = packet {
            (AckKind::PubRec, ack)
        } else if let Packet::PubComp(ack) = packet {
            (AckKind::PubComp, ack)
        } else {
            return Err(self.unasked(index, packet));
        };
        let outbound = &mut self.publishers[index].outbound;
        let good = outbound.acknowledge((kind, ack), self.plan.version, &mut self.out);
        let good = good.map_err(|error| self.lost(index, &error.to_string()))?;
        self.counted.unexpected_acks += u64::from(!good);
        self.note_room(index as u32);
        Ok(())
    }

    /// A subscriber got a packet.
    fn handle_delivery(
        &mut self,
        subscriber: usize,
        packet: &Packet<'_>,
        now: Instant,
    ) -> Result<(), Failure> {
        let index = self.publishers.len() + subscriber;
        if let Packet::Publish(publish) = packet {
            self.handle_publish(subscriber, publish, now);
            let kind = match publish.qos {
                QoS::AtMostOnce => return Ok(()),
                QoS::AtLeastOnce => AckKind::PubAck,
                QoS::ExactlyOnce => AckKind::PubRec,
            };
            let packet_id = publish.packet_id.expect("a PUBLISH above QoS 0 has one");
            return self.answer(index, kind, (packet_id, ReasonCode::Success));
        }
        let Packet::PubRel(ack) = packet else { return Err(self.unasked(index, packet)) };
        let known = self.subscribers[subscriber].release(ack.packet_id);
        self.counted.unexpected_acks += u64::from(!known);
        let reason = match known {
            true => ReasonCode::Success,
            false => ReasonCode::PacketIdentifierNotFound,
        };
        self.answer(index, AckKind::PubComp, (ack.packet_id, reason))
    }

    fn handle_publish(&mut self, subscriber: usize, publish: &Publish<'_>, now: Instant) {
        let number = subscriber as u32 / self.plan.fan;
        let arrivals = &mut self.counted.arrivals;
        let label = Label::read(publish.payload).filter(|label| label.publisher == number);
        let Some(Label { sequence, .. }) = label.filter(|_| publish.qos == self.plan.qos) else {
            arrivals.foreign += 1;
            return;
        };
        let subscriber = &mut self.subscribers[subscriber];
        if !subscriber.receive(publish) {
            arrivals.duplicated += 1;
            return;
        }
        let Some(settled) = subscriber.expectation.settle(sequence, arrivals) else { return };
        let flight = &mut self.publishers[number as usize].flight;
        for lost in settled.from..settled.last {
            flight.land(lost);
        }
        if let Some(landing) = flight.land(settled.last) {
            self.timings.record(landing, now, (self.plan.fan, &self.window));
        }
        self.note_room(number);
    }

    fn answer(
        &mut self,
        index: usize,
        kind: AckKind,
        (packet_id, reason): (PacketId, ReasonCode),
    ) -> Result<(), Failure> {
        let ack = Ack { packet_id, reason, properties: Properties::EMPTY };
        let written = ack.encode(kind, self.plan.version, &mut self.out);
        written.map_err(|error| self.lost(index, &error.to_string()))
    }

    fn note_room(&mut self, number: u32) {
        let publisher = &mut self.publishers[number as usize];
        if !publisher.queued && publisher.is_worth_a_write() {
            publisher.queued = true;
            self.due.push(number);
        }
    }

    fn unasked(&self, index: usize, packet: &Packet<'_>) -> Failure {
        let what = if let Packet::Disconnect(disconnect) = packet {
            format!("DISCONNECT came: {}", disconnect.reason)
        } else {
            format!("{} came, which nothing here asks for", packet.name())
        };
        self.lost(index, &what)
    }

    fn lost(&self, index: usize, what: &str) -> Failure {
        let who = match index.checked_sub(self.publishers.len()) {
            None => format!("load-p{index}"),
            Some(subscriber) => format!("load-s{subscriber}"),
        };
        Failure::Lost { who, address: self.plan.endpoint.to_string(), what: what.to_owned() }
    }
}
