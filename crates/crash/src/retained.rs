//! What is retained has to be what was acknowledged last, or what came later.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use mqtt::{Packet, PacketId, Properties, QoS, Subscribe, SubscribeOptions, Version};

use crate::link::{Came, Heard, Link, Lost};
use crate::message::Message;
use crate::publisher::Sent;
use crate::stage::PATIENCE;

const FIRST_ID: u16 = 1;
const MARKER_ID: u16 = 2;

/// The retained messages of a publisher: their numbers by topic. What comes before a message of the
/// client's own is everything.
pub(crate) fn look(
    address: SocketAddr,
    seed: u64,
    publisher: usize,
) -> Result<BTreeMap<String, usize>, Lost> {
    let client_id = format!("look-{publisher}");
    let (mut link, _) = Link::open(address, Version::V311, &client_id, true)?;
    let marker = format!("look/{publisher}");
    let kept = format!("kept/{publisher}/#");
    let options = SubscribeOptions { qos: QoS::AtLeastOnce, ..SubscribeOptions::default() };
    link.send(&Packet::Subscribe(Subscribe {
        packet_id: PacketId::new(FIRST_ID).expect("packet IDs begin at 1"),
        properties: Properties::EMPTY,
        filters: vec![(&marker, options), (&kept, options)],
    }))?;
    let mut found = BTreeMap::new();
    loop {
        match link.hear(PATIENCE)? {
            None => return Err(Lost::Wrong(format!("{client_id} waited in vain"))),
            Some(Heard::SubAck(_)) => link.publish(
                &Came {
                    topic: marker.clone(),
                    payload: Vec::new(),
                    qos: QoS::AtLeastOnce,
                    retain: false,
                    id: MARKER_ID,
                },
                false,
            )?,
            Some(Heard::Message(came)) if came.topic == marker => {
                link.leave();
                return Ok(found);
            }
            Some(Heard::Message(came)) => {
                link.acknowledge(Packet::PubAck, came.id)?;
                let message = Message::recognise(seed, &came.topic, &came.payload);
                let message = message.filter(|message| message.retain && came.retain);
                let message = message.ok_or_else(|| {
                    Lost::Wrong(format!("what is retained on {} is garbled", came.topic))
                })?;
                found.insert(came.topic, message.number);
            }
            Some(
                Heard::PubAck(..)
                | Heard::PubRec(..)
                | Heard::PubRel(_)
                | Heard::PubComp(_)
                | Heard::UnsubAck,
            ) => {}
        }
    }
}

/// How many topics were compared, and what is wrong.
pub(crate) fn compare(
    seed: u64,
    publisher: usize,
    sent: &[Sent],
    found: &BTreeMap<String, usize>,
) -> (u64, Vec<String>) {
    let mut topics: BTreeMap<String, Topic> = BTreeMap::new();
    for (number, sent) in sent.iter().enumerate() {
        let message = Message::new(seed, publisher, number);
        if message.retain {
            topics.entry(message.topic.clone()).or_default().add(&message, sent);
        }
    }
    let mut wrong = Vec::new();
    for (name, topic) in &topics {
        let retained = found.get(name).copied();
        if !topic.allowed.contains(&retained) {
            let allowed = &topic.allowed;
            wrong.push(format!("{name} retains {retained:?}; it may be one of {allowed:?}"));
        }
    }
    for name in found.keys().filter(|name| !topics.contains_key(*name)) {
        wrong.push(format!("{name} retains a message that was never sent"));
    }
    (topics.len() as u64, wrong)
}

/// What may be retained on a topic: the number of a message, or nothing.
struct Topic {
    allowed: Vec<Option<usize>>,
}

impl Default for Topic {
    fn default() -> Self {
        Topic { allowed: vec![None] }
    }
}

impl Topic {
    /// The next message on the topic.
    fn add(&mut self, message: &Message, sent: &Sent) {
        if sent.acknowledged.is_some() {
            self.allowed.clear();
        }
        self.allowed.push((!message.deletes()).then_some(message.number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first messages that a publisher retains on one topic, by number, with the last of them
    /// acknowledged or not.
    fn sent(last_acknowledged: bool) -> (Vec<Sent>, String, Vec<usize>) {
        let messages = (0..40).map(|number| Message::new(1, 0, number)).collect::<Vec<_>>();
        let kept = |message: &&Message| message.retain && !message.deletes();
        let topic = &messages.iter().find(kept).unwrap().topic;
        let numbers: Vec<usize> =
            messages.iter().filter(|one| one.topic == *topic).map(|one| one.number).collect();
        let last = *numbers.last().unwrap();
        let acknowledged = |number| (number != last || last_acknowledged).then_some(1);
        let sent = (0..=last).map(|number| Sent { first: 0, acknowledged: acknowledged(number) });
        (sent.collect(), topic.clone(), numbers)
    }

    fn complaints(sent: &[Sent], topic: &str, number: Option<usize>) -> usize {
        let found = number.map(|number| (topic.to_owned(), number)).into_iter().collect();
        let (_, wrong) = compare(1, 0, sent, &found);
        wrong.iter().filter(|what| what.starts_with(topic)).count()
    }

    #[test]
    fn what_was_acknowledged_last_is_retained_and_nothing_older() {
        let (sent, topic, numbers) = sent(true);
        let deletes = |number: usize| Message::new(1, 0, number).deletes();
        for number in &numbers {
            let right = (*number == *numbers.last().unwrap()) as usize;
            if !deletes(*number) {
                assert_eq!(complaints(&sent, &topic, Some(*number)), 1 - right);
            }
        }
        let empty = usize::from(!deletes(*numbers.last().unwrap()));
        assert_eq!(complaints(&sent, &topic, None), empty);
    }

    #[test]
    fn what_is_not_acknowledged_may_be_retained_or_not() {
        let (sent, topic, numbers) = sent(false);
        let [.., before, last] = numbers[..] else { panic!("two messages on a topic") };
        for number in [before, last] {
            let kept = Some(number).filter(|number| !Message::new(1, 0, *number).deletes());
            assert_eq!(complaints(&sent, &topic, kept), 0);
        }
    }

    #[test]
    fn a_message_that_nobody_sent_is_named() {
        let found = BTreeMap::from([("kept/0/9".to_owned(), 3)]);
        assert_eq!(compare(1, 0, &[], &found).1.len(), 1);
    }
}
