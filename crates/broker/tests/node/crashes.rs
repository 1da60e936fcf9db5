//! Publishers and subscribers whose connections break and are taken over, on a node that crashes
//! again and again: in the end every message has arrived as its QoS says.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use broker::Node;
use mqtt::{Packet, PacketId, Properties, Publish, QoS, ReasonCode, TopicName, Version};
use store::Memory;

use crate::device::{Device, Got, Wish};
use crate::dice::Dice;
use crate::fixture::storing_node;

const PUBLISHERS: u8 = 3;
const SUBSCRIBERS: usize = 2;
const CRASHES: usize = 6;
const MESSAGES: u32 = 600;
/// How long the end may take; nothing depends on it but the time until a failure is seen.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a client waits for a packet before it does something else.
const GLANCE: Duration = Duration::from_millis(10);

/// A message: its publisher, its QoS and its number, which is all there is in it.
type Message = (u8, QoS, u32);

fn lasting() -> Wish<'static> {
    Wish { version: Version::V5, clean: false, expiry: Some(3_600), ..Wish::default() }
}

fn payload((publisher, qos, number): Message) -> Vec<u8> {
    let mut payload = vec![publisher, qos as u8];
    payload.extend(number.to_be_bytes());
    payload
}

fn message(payload: &[u8]) -> Message {
    let number = payload[2..].try_into().expect("four bytes");
    (payload[0], QoS::try_from(payload[1]).expect("a QoS"), u32::from_be_bytes(number))
}

/// A client's present connection, and what it does about the one before.
struct Link {
    dice: Dice,
    /// A connection that the client does not use any more and that the node may not know about.
    left: Option<Device>,
}

impl Link {
    fn new(seed: u64) -> Self {
        Link { dice: Dice(seed), left: None }
    }

    /// A new connection; none if it is over before the node, whose disk may take nothing any more,
    /// lets the client in.
    async fn open(&mut self, node: &Arc<Node>, name: &str, over: &AtomicBool) -> Option<Device> {
        let ending = async {
            while !over.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            (device, _) = Device::connect_with(node, name, lasting()) => {
                self.left = None;
                Some(device)
            }
            () = ending => None,
        }
    }

    /// Leaves a connection: it is lost, or taken over by the next one.
    fn leave(&mut self, device: Device) {
        self.left = (self.dice.below(2) == 0).then_some(device);
    }
}

struct Publisher {
    name: u8,
    link: Link,
    next: u32,
    sending: Vec<Sending>,
}

struct Sending {
    id: u16,
    message: Message,
    released: bool,
}

impl Publisher {
    fn is_done(&self) -> bool {
        self.next == MESSAGES && self.sending.is_empty()
    }

    /// Publishes until it is over or everything is acknowledged.
    async fn live(mut self, node: Arc<Node>, over: Arc<AtomicBool>) -> Self {
        let name = format!("publisher-{}", self.name);
        while !self.is_done() && !over.load(Ordering::Relaxed) {
            let Some(mut device) = self.link.open(&node, &name, &over).await else { break };
            self.send_again(&mut device).await;
            let lives = 5 + self.link.dice.below(60);
            for _ in 0..lives {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                if self.sending.len() < 5 && self.next < MESSAGES && self.link.dice.below(2) == 0 {
                    self.publish(&mut device).await;
                } else if let Ok(got) = tokio::time::timeout(GLANCE, device.read()).await
                    && !self.handle(got, &mut device).await
                {
                    break;
                }
            }
            self.link.leave(device);
        }
        self.link.left = None;
        self
    }

    async fn publish(&mut self, device: &mut Device) {
        let taken: HashSet<u16> = self.sending.iter().map(|sending| sending.id).collect();
        let id = (1..).find(|id| !taken.contains(id)).expect("more IDs than messages");
        let qos = if self.link.dice.below(4) == 0 { QoS::AtLeastOnce } else { QoS::ExactlyOnce };
        let message = (self.name, qos, self.next);
        self.next += 1;
        device.publish_at(qos, "p", &payload(message), Some(id)).await;
        self.sending.push(Sending { id, message, released: false });
    }

    async fn send_again(&self, device: &mut Device) {
        for sending in &self.sending {
            if sending.released {
                device.say(Packet::PubRel, sending.id).await;
                continue;
            }
            let publish = Publish {
                dup: true,
                qos: sending.message.1,
                retain: false,
                topic: TopicName::parse("p").ok(),
                packet_id: PacketId::new(sending.id),
                properties: Properties::EMPTY,
                payload: &payload(sending.message),
            };
            device.send(&Packet::Publish(publish)).await;
        }
    }

    /// Whether the connection goes on.
    async fn handle(&mut self, got: Got, device: &mut Device) -> bool {
        match got {
            Got::PubAck(id) | Got::PubComp(id) => self.sending.retain(|sending| sending.id != id),
            Got::PubRec(id) => {
                for sending in self.sending.iter_mut().filter(|sending| sending.id == id) {
                    sending.released = true;
                }
                device.say(Packet::PubRel, id).await;
            }
            Got::End | Got::Disconnect(_) => return false,
            Got::ConnAck { .. }
            | Got::Publish { .. }
            | Got::Retained { .. }
            | Got::Again { .. }
            | Got::Refused(_)
            | Got::PubRel(_)
            | Got::SubAck(_)
            | Got::Pong => panic!("not for a publisher: {got:?}"),
        }
        true
    }
}

struct Subscriber {
    name: String,
    link: Link,
    /// The messages at QoS 2 whose packet IDs were not released.
    received: HashMap<u16, Message>,
    arrived: Vec<Message>,
    wanted: usize,
}

impl Subscriber {
    fn is_done(&self) -> bool {
        let arrived: HashSet<_> =
            self.arrived.iter().map(|(from, _, number)| (from, number)).collect();
        arrived.len() == self.wanted && self.received.is_empty()
    }

    /// Takes messages until it is over or all have come.
    async fn live(mut self, node: Arc<Node>, over: Arc<AtomicBool>) -> Self {
        while !self.is_done() && !over.load(Ordering::Relaxed) {
            let Some(mut device) = self.link.open(&node, &self.name.clone(), &over).await else {
                break;
            };
            let lives = 5 + self.link.dice.below(200);
            for _ in 0..lives {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                if let Ok(got) = tokio::time::timeout(GLANCE, device.read()).await
                    && !self.handle(got, &mut device).await
                {
                    break;
                }
            }
            self.link.leave(device);
        }
        self.link.left = None;
        self
    }

    /// Whether the connection goes on.
    async fn handle(&mut self, got: Got, device: &mut Device) -> bool {
        match got {
            Got::Publish { payload, id: Some(id), .. }
            | Got::Again { payload, id: Some(id), .. } => {
                self.take(message(&payload), id, device).await;
            }
            Got::PubRel(id) => {
                self.received.remove(&id);
                device.say(Packet::PubComp, id).await;
            }
            Got::End | Got::Disconnect(_) => return false,
            Got::ConnAck { .. }
            | Got::Publish { .. }
            | Got::Retained { .. }
            | Got::Again { .. }
            | Got::PubAck(_)
            | Got::Refused(_)
            | Got::PubRec(_)
            | Got::PubComp(_)
            | Got::SubAck(_)
            | Got::Pong => panic!("not for a subscriber: {got:?}"),
        }
        true
    }

    async fn take(&mut self, message: Message, id: u16, device: &mut Device) {
        if message.1 == QoS::AtLeastOnce {
            self.arrived.push(message);
            return device.acknowledge(id, ReasonCode::Success).await;
        }
        match self.received.insert(id, message) {
            None => self.arrived.push(message),
            Some(before) => assert_eq!(before, message, "a repetition hides a message"),
        }
        device.say(Packet::PubRec, id).await;
    }

    /// At QoS 2 each message of a publisher came once and after those before it.
    fn check(&self) {
        let mut newest = HashMap::new();
        for (from, qos, number) in &self.arrived {
            if *qos == QoS::ExactlyOnce {
                let before = newest.insert(*from, *number);
                assert!(before < Some(*number), "{number} of {from} came after {before:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_message_arrives_as_its_qos_says_over_crashes() {
    let mut records = Arc::new(Memory::new());
    let mut node = storing_node(&records);
    let mut publishers: Vec<_> = (0..PUBLISHERS)
        .map(|name| Publisher {
            name,
            link: Link::new(u64::from(name)),
            next: 0,
            sending: Vec::new(),
        })
        .collect();
    let mut subscribers = Vec::new();
    for at in 0..SUBSCRIBERS {
        let name = format!("subscriber-{at}");
        let (mut device, _) = Device::connect_with(&node, &name, lasting()).await;
        device.subscribe_at(QoS::ExactlyOnce, &["p"]).await;
        assert!(matches!(device.next().await, Got::SubAck(_)));
        let (received, arrived) = (HashMap::new(), Vec::new());
        let wanted = usize::from(PUBLISHERS) * MESSAGES as usize;
        let link = Link::new(100 + at as u64);
        subscribers.push(Subscriber { name, link, received, arrived, wanted });
    }
    let mut dice = Dice(1_000);
    for crash in 0..=CRASHES {
        let over = Arc::new(AtomicBool::new(false));
        let publishing: Vec<_> = publishers
            .drain(..)
            .map(|publisher| tokio::spawn(publisher.live(Arc::clone(&node), Arc::clone(&over))))
            .collect();
        let subscribing: Vec<_> = subscribers
            .drain(..)
            .map(|subscriber| tokio::spawn(subscriber.live(Arc::clone(&node), Arc::clone(&over))))
            .collect();
        let mut left = Arc::clone(&records);
        if crash < CRASHES {
            tokio::time::sleep(Duration::from_millis(20 + dice.below(150))).await;
            // What was not committed by now is lost, and nobody is told of it any more.
            records.hold();
            left = Arc::new(records.after_kill());
            over.store(true, Ordering::Relaxed);
        }
        let ending = async {
            for one in publishing {
                publishers.push(one.await.expect("a publisher that goes on"));
            }
            for one in subscribing {
                subscribers.push(one.await.expect("a subscriber that goes on"));
            }
        };
        tokio::time::timeout(PATIENCE, ending).await.expect("everybody ends");
        records.release();
        records = left;
        node = storing_node(&records);
    }
    assert!(publishers.iter().all(Publisher::is_done));
    subscribers.iter().for_each(Subscriber::check);
}
