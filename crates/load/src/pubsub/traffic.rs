//! The event loop: who has room publishes, who receives counts.

use std::time::{Duration, Instant};

use mqtt::{Ack, AckKind, Packet, Properties, Publish, QoS, ReasonCode, TopicName, decode};

use super::arrivals::{Arrivals, Expectation};
use super::flight::Flight;
use super::peer::{MAX_PACKET, Peer};
use super::plan::PubsubPlan;
use super::publisher::Publisher;
use super::template::{Label, Template};
use crate::failure::Failure;
use crate::poller::{Interest, Poller};
use crate::process::Process;

/// The most that is read at once.
const READ_LEN: usize = 64 * 1024;
/// How long what is on its way at the end may take.
const GRACE: Duration = Duration::from_secs(10);

/// All connections and what is known of their messages.
pub(crate) struct Traffic<'a> {
    plan: &'a PubsubPlan,
    poller: Poller,
    /// Publishers by number, then the subscribers of the first one, of the second one, and so on.
    peers: Vec<Peer>,
    publishers: Vec<Publisher>,
    expectations: Vec<Expectation>,
    /// Publishers with enough room for a write that is worth it.
    due: Vec<u32>,
    counted: Counted,
    buffer: Box<[u8]>,
    out: Vec<u8>,
}

/// What is counted all the time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counted {
    /// Messages sent.
    pub(crate) published: u64,
    /// What came of them.
    pub(crate) arrivals: Arrivals,
    /// PUBACKs for which there was no message.
    pub(crate) unexpected_acks: u64,
    /// PUBACKs that never came.
    pub(crate) missing_acks: u64,
}

/// What a run has found out.
pub(crate) struct Measured {
    /// All that was counted, warm-up and end included.
    pub(crate) counted: Counted,
    /// Messages sent in the measured time.
    pub(crate) published: u64,
    /// Messages received in the measured time.
    pub(crate) delivered: u64,
    /// The measured time.
    pub(crate) time: Duration,
    /// CPU time of the server in it, if its process is known and readable.
    pub(crate) server_cpu: Option<Duration>,
    /// CPU time of the generator in it.
    pub(crate) own_cpu: Option<Duration>,
}

/// Everything at one moment.
struct Snapshot {
    at: Instant,
    counted: Counted,
    server_cpu: Option<Duration>,
    own_cpu: Option<Duration>,
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
            let acknowledged = (plan.qos != QoS::AtMostOnce).then_some(allowed);
            let flight = Flight::new(plan.fan, plan.window);
            publishers.push(Publisher::new(template, flight, acknowledged));
            peers.push(peer);
        }
        for number in 0..plan.subscribers() {
            let (mut peer, _) = Peer::connect(plan, &format!("load-s{number}"))?;
            peer.subscribe(plan, &PubsubPlan::topic(number / plan.fan))?;
            peers.push(peer);
        }
        let failed = |source| Failure::System { what: "waiting for sockets", source };
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
            expectations: vec![Expectation::default(); plan.subscribers() as usize],
            due: Vec::new(),
            counted: Counted::default(),
            buffer: vec![0; READ_LEN].into_boxed_slice(),
            out: Vec::new(),
        })
    }

    /// Publishes for the time of the plan, and waits for what is then on its way.
    ///
    /// # Errors
    /// When a connection breaks or the broker says what nobody asked for.
    pub(crate) fn run(mut self) -> Result<Measured, Failure> {
        let start = Instant::now();
        for number in 0..self.plan.publishers {
            self.publishers[number as usize].due = true;
            self.due.push(number);
        }
        let from = self.publish_until(start + self.plan.warmup)?;
        let to = self.publish_until(start + self.plan.warmup + self.plan.measured)?;
        self.drain(Instant::now() + GRACE)?;
        let spent = |from: Option<Duration>, to: Option<Duration>| to?.checked_sub(from?);
        Ok(Measured {
            counted: self.counted,
            published: to.counted.published - from.counted.published,
            delivered: to.counted.arrivals.delivered - from.counted.arrivals.delivered,
            time: to.at - from.at,
            server_cpu: spent(from.server_cpu, to.server_cpu),
            own_cpu: spent(from.own_cpu, to.own_cpu),
        })
    }

    fn publish_until(&mut self, end: Instant) -> Result<Snapshot, Failure> {
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            self.publish()?;
            self.handle_ready(left)?;
        }
        Ok(Snapshot {
            at: Instant::now(),
            counted: self.counted,
            server_cpu: self.plan.process.and_then(Process::cpu_time),
            own_cpu: Process::Own.cpu_time(),
        })
    }

    /// Without publishing; what has not come by `deadline` is lost.
    fn drain(&mut self, deadline: Instant) -> Result<(), Failure> {
        loop {
            let publishers = self.publishers.iter();
            let (awaited, unacknowledged) = publishers.fold((0, 0), |(a, u), publisher| {
                (a + publisher.flight.awaited(), u + publisher.unacknowledged())
            });
            let left = deadline.saturating_duration_since(Instant::now());
            if awaited + unacknowledged == 0 || left.is_zero() {
                self.counted.arrivals.lost += awaited;
                self.counted.missing_acks = unacknowledged;
                return Ok(());
            }
            self.handle_ready(left)?;
        }
    }

    /// Lets all that are due write what they may, in one write each.
    fn publish(&mut self) -> Result<(), Failure> {
        while let Some(number) = self.due.pop() {
            let publisher = &mut self.publishers[number as usize];
            publisher.due = false;
            self.out.clear();
            self.counted.published += u64::from(publisher.fill(&mut self.out));
            let sent = self.peers[number as usize].send(&self.out);
            sent.map_err(|error| self.lost(number as usize, &error.to_string()))?;
        }
        Ok(())
    }

    fn handle_ready(&mut self, timeout: Duration) -> Result<(), Failure> {
        let count = self.poller.wait(Some(timeout));
        let count =
            count.map_err(|source| Failure::System { what: "waiting for sockets", source })?;
        for event in 0..count {
            let ready = self.poller.ready(event);
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
            self.handle_bytes(index, &buffer[..read])?;
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
    fn handle_bytes(&mut self, index: usize, bytes: &[u8]) -> Result<(), Failure> {
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
            self.handle_packet(index, &packet)?;
        }
        if joined {
            partial.drain(..used);
        } else {
            partial.extend_from_slice(&bytes[used..]);
        }
        self.peers[index].partial = partial;
        Ok(())
    }

    fn handle_packet(&mut self, index: usize, packet: &Packet<'_>) -> Result<(), Failure> {
        match (packet, index.checked_sub(self.publishers.len())) {
            (Packet::PubAck(ack), None) => {
                let publisher = &mut self.publishers[index];
                let expected = publisher.acknowledge(ack.packet_id.get());
                self.counted.unexpected_acks += u64::from(!expected || ack.reason.is_error());
                self.note_room(index as u32);
                Ok(())
            }
            (Packet::Publish(publish), Some(subscriber)) => {
                self.handle_publish(subscriber as u32, publish);
                self.acknowledge(index, publish)
            }
            (other, _) => Err(self.lost(index, &format!("it got a {}", other.name()))),
        }
    }

    fn handle_publish(&mut self, subscriber: u32, publish: &Publish<'_>) {
        let number = subscriber / self.plan.fan;
        let arrivals = &mut self.counted.arrivals;
        let label = Label::read(publish.payload).filter(|label| label.publisher == number);
        let Some(Label { sequence, .. }) = label.filter(|_| publish.qos == self.plan.qos) else {
            arrivals.foreign += 1;
            return;
        };
        let expectation = &mut self.expectations[subscriber as usize];
        let Some(settled) = expectation.settle(sequence, arrivals) else { return };
        let publisher = &mut self.publishers[number as usize];
        for sequence in settled.from..=settled.last {
            publisher.flight.land(sequence);
        }
        self.note_room(number);
    }

    fn acknowledge(&mut self, index: usize, publish: &Publish<'_>) -> Result<(), Failure> {
        let Some(packet_id) = publish.packet_id else { return Ok(()) };
        let ack = Ack { packet_id, reason: ReasonCode::Success, properties: Properties::EMPTY };
        ack.encode(AckKind::PubAck, self.plan.version, &mut self.out)
            .map_err(|error| self.lost(index, &error.to_string()))
    }

    /// Half of what it may ever send is worth a write.
    fn note_room(&mut self, number: u32) {
        let publisher = &mut self.publishers[number as usize];
        if !publisher.due && publisher.room() >= publisher.worth_a_write() {
            publisher.due = true;
            self.due.push(number);
        }
    }

    fn lost(&self, index: usize, what: &str) -> Failure {
        let who = match index.checked_sub(self.publishers.len()) {
            None => format!("load-p{index}"),
            Some(subscriber) => format!("load-s{subscriber}"),
        };
        Failure::Lost { who, address: self.plan.endpoint.to_string(), what: what.to_owned() }
    }
}
