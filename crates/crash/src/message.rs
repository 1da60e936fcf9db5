//! What is published: a message is known from who sends it and its number.

use mqtt::QoS;

use crate::chance::Chance;

/// How many topics a publisher has of each kind.
pub(crate) const TOPICS: u64 = 3;
/// One message in so many is to be retained.
const RETAINED: u64 = 4;
/// One of these in so many deletes what is retained.
const DELETES: u64 = 4;
/// One payload in so many is long.
const LONG: u64 = 50;

/// A message of the load. Everything in it follows from the seed, the publisher and the number, so
/// that whoever gets it knows every byte that there has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) publisher: usize,
    pub(crate) number: usize,
    pub(crate) topic: String,
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
    pub(crate) payload: Vec<u8>,
}

impl Message {
    pub(crate) fn new(seed: u64, publisher: usize, number: usize) -> Self {
        let mut chance = Chance::new(seed, ((publisher as u64) << 32) + number as u64 + (1 << 60));
        let qos = if chance.once_in(2) { QoS::AtLeastOnce } else { QoS::ExactlyOnce };
        let retain = chance.once_in(RETAINED);
        let kind = if retain { "kept" } else { "load" };
        let topic = format!("{kind}/{publisher}/{}", chance.within(0..TOPICS));
        let payload = if retain && chance.once_in(DELETES) {
            Vec::new()
        } else {
            payload(publisher, number, &mut chance)
        };
        Message { publisher, number, topic, qos, retain, payload }
    }

    /// The message that came with this topic and payload, if it is one of the load, byte for byte.
    pub(crate) fn recognise(seed: u64, topic: &str, payload: &[u8]) -> Option<Self> {
        let mut words = payload.split(|byte| *byte == b' ');
        let mut number = || std::str::from_utf8(words.next()?).ok()?.parse().ok();
        let message = Message::new(seed, number()?, number()?);
        (message.topic == topic && message.payload == payload).then_some(message)
    }

    /// Whether it deletes what is retained.
    pub(crate) fn deletes(&self) -> bool {
        self.payload.is_empty()
    }
}

fn payload(publisher: usize, number: usize, chance: &mut Chance) -> Vec<u8> {
    let mut payload = format!("{publisher} {number} ").into_bytes();
    let length = if chance.once_in(LONG) { 4000..8000 } else { 0..200 };
    for _ in 0..chance.within(length) / 8 {
        payload.extend(chance.next().to_be_bytes());
    }
    payload
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_recognised_and_one_with_another_byte_or_topic_is_not() {
        let sent = (0..).map(|number| Message::new(7, 2, number)).find(|sent| !sent.deletes());
        let sent = sent.unwrap();
        assert_eq!(Message::recognise(7, &sent.topic, &sent.payload), Some(sent.clone()));
        assert_eq!(Message::recognise(7, "load/9/9", &sent.payload), None);
        assert_eq!(Message::recognise(8, &sent.topic, &sent.payload), None);
        let mut changed = sent.payload.clone();
        changed.push(b'!');
        assert_eq!(Message::recognise(7, &sent.topic, &changed), None);
        assert_eq!(Message::recognise(7, &sent.topic, b""), None);
    }
}
