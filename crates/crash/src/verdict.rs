//! Whether everything came that had to, and nothing that must not.

use std::collections::{BTreeMap, BTreeSet};

use mqtt::QoS;

use crate::message::Message;
use crate::publisher::{Publications, Sent};
use crate::stage::Stamp;
use crate::subscriber::Receipts;
use crate::subscriptions::Subscription;

/// A message by its publisher and its number there.
type Name = (usize, usize);

/// What was compared, and what is wrong.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) published: usize,
    pub(crate) acknowledged: usize,
    /// Deliveries that had to be, each message and subscriber counted once.
    pub(crate) owed: usize,
    pub(crate) delivered: usize,
    pub(crate) lost: usize,
    pub(crate) repeated_at_least_once: usize,
    pub(crate) repeated_exactly_once: usize,
    pub(crate) subscriptions: usize,
    pub(crate) retained: u64,
    pub(crate) wrong: Vec<String>,
}

impl Verdict {
    /// Compares what was published with what was received.
    pub(crate) fn new(seed: u64, published: &[Publications], received: &[Receipts]) -> Self {
        let mut verdict = Verdict::default();
        let mut load = BTreeMap::new();
        for (publisher, publications) in published.iter().enumerate() {
            verdict.retained += publications.retained_checked;
            for (number, sent) in publications.sent.iter().enumerate() {
                verdict.published += 1;
                verdict.acknowledged += usize::from(sent.acknowledged.is_some());
                let message = Message::new(seed, publisher, number);
                if !message.retain {
                    load.insert((publisher, number), (message, *sent));
                }
            }
        }
        for receipts in received {
            verdict.judge(&load, receipts);
        }
        verdict
    }

    fn judge(&mut self, load: &BTreeMap<Name, (Message, Sent)>, receipts: &Receipts) {
        let granted = |subscription: &&Subscription| subscription.granted.is_some();
        self.subscriptions += receipts.subscriptions.iter().filter(granted).count();
        self.delivered += receipts.delivered.len();
        self.look_for_lost(load, receipts);
        self.look_for_repeated(receipts);
        self.look_for_uninvited(load, receipts);
        self.look_at_order(receipts);
    }

    fn look_for_lost(&mut self, load: &BTreeMap<Name, (Message, Sent)>, receipts: &Receipts) {
        let last = receipts.generation;
        let of_last = |generation: u64| generation == last;
        let delivered = receipts.delivered.iter().filter(|one| of_last(one.generation));
        let delivered: BTreeSet<Name> = delivered.map(|one| name(&one.message)).collect();
        let subscriptions: Vec<&Subscription> =
            receipts.subscriptions.iter().filter(|one| of_last(one.generation)).collect();
        for (name, (message, sent)) in load {
            let Some(acknowledged) = sent.acknowledged else { continue };
            let owed = subscriptions.iter().any(|subscription| {
                subscription.demands(sent.first, acknowledged)
                    && subscription.matches(&message.topic)
            });
            self.owed += usize::from(owed);
            if owed && !delivered.contains(name) {
                self.lost += 1;
                self.accuse(receipts, message, "was acknowledged and never came");
            }
        }
    }

    fn look_for_repeated(&mut self, receipts: &Receipts) {
        let mut seen = BTreeSet::new();
        for delivered in &receipts.delivered {
            let message = &delivered.message;
            if seen.insert(name(message)) {
                continue;
            }
            if message.qos.min(receipts.qos) == QoS::ExactlyOnce {
                self.repeated_exactly_once += 1;
                self.accuse(receipts, message, "came twice at QoS 2");
            } else {
                self.repeated_at_least_once += 1;
            }
        }
    }

    /// What nobody subscribed to when it was on its way.
    fn look_for_uninvited(&mut self, load: &BTreeMap<Name, (Message, Sent)>, receipts: &Receipts) {
        for delivered in &receipts.delivered {
            let message = &delivered.message;
            let Some((_, sent)) = load.get(&name(message)) else {
                self.accuse(receipts, message, "came and was never sent");
                continue;
            };
            let (first, acknowledged): (Stamp, _) = (sent.first, sent.acknowledged);
            let invited = receipts.subscriptions.iter().any(|subscription| {
                subscription.generation == delivered.generation
                    && subscription.allows(first, acknowledged)
                    && subscription.matches(&message.topic)
            });
            if !invited {
                let generation = delivered.generation;
                let what = format!(
                    "came without a subscription by session {generation}; it was sent at {first} \
                     and acknowledged at {acknowledged:?}, and there were {:?}",
                    receipts.near(generation, &message.topic)
                );
                self.accuse(receipts, message, &what);
            }
        }
    }

    /// The first deliveries of what one client published on a topic at a QoS are in its order
    /// ([MQTT-4.6.0-5], [MQTT-4.6.0-6]).
    fn look_at_order(&mut self, receipts: &Receipts) {
        let mut seen = BTreeSet::new();
        let mut latest: BTreeMap<(u64, &str, u8), usize> = BTreeMap::new();
        let mut disordered = Vec::new();
        for delivered in &receipts.delivered {
            let message = &delivered.message;
            if !seen.insert((delivered.generation, name(message))) {
                continue;
            }
            let stream = (delivered.generation, message.topic.as_str(), message.qos as u8);
            let latest = latest.entry(stream).or_insert(message.number);
            if *latest > message.number {
                disordered.push((message, *latest));
            }
            *latest = message.number.max(*latest);
        }
        for (message, latest) in disordered {
            self.accuse(receipts, message, &format!("came after number {latest}"));
        }
    }

    fn accuse(&mut self, receipts: &Receipts, message: &Message, what: &str) {
        let Message { number, topic, qos, .. } = message;
        let (who, qos) = (&receipts.client_id, *qos as u8);
        self.wrong.push(format!("{who}: number {number} on {topic}, sent at QoS {qos}, {what}"));
    }
}

fn name(message: &Message) -> Name {
    (message.publisher, message.number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subscriber::Delivered;

    const SEED: u64 = 3;

    /// All messages of one publisher, acknowledged one after the other, and the load among them.
    fn published() -> (Vec<Publications>, Vec<Message>) {
        let sent =
            |number: u64| Sent { first: 10 + 2 * number, acknowledged: Some(11 + 2 * number) };
        let publications = Publications { sent: (0..40).map(sent).collect(), retained_checked: 0 };
        let messages = (0..40).map(|number| Message::new(SEED, 0, number));
        (vec![publications], messages.filter(|message| !message.retain).collect())
    }

    fn receipts(messages: Vec<Message>) -> Receipts {
        let mut subscription = Subscription::new("load/#".to_owned(), 0, 1);
        subscription.granted = Some(2);
        Receipts {
            client_id: "subscriber".to_owned(),
            qos: QoS::ExactlyOnce,
            generation: 0,
            subscriptions: vec![subscription],
            delivered: messages
                .into_iter()
                .map(|message| Delivered { message, generation: 0 })
                .collect(),
        }
    }

    fn verdict(receipts: Receipts) -> Verdict {
        Verdict::new(SEED, &published().0, &[receipts])
    }

    #[test]
    fn everything_once_and_in_order_is_right() {
        let verdict = verdict(receipts(published().1));
        assert_eq!(verdict.wrong, [""; 0]);
        assert!(verdict.owed > 0);
        assert_eq!((verdict.owed, verdict.delivered), (verdict.owed, verdict.owed));
    }

    #[test]
    fn a_message_that_is_missing_is_lost() {
        let mut messages = published().1;
        messages.pop();
        let verdict = verdict(receipts(messages));
        assert_eq!((verdict.lost, verdict.wrong.len()), (1, 1));
    }

    #[test]
    fn a_repetition_is_wrong_at_qos_2_and_counted_at_qos_1() {
        let mut messages = published().1;
        let at = |qos| messages.iter().rfind(|message| message.qos == qos).unwrap().clone();
        let (once, twice) = (at(QoS::ExactlyOnce), at(QoS::AtLeastOnce));
        messages.extend([once, twice]);
        let verdict = verdict(receipts(messages));
        let repeated = (verdict.repeated_exactly_once, verdict.repeated_at_least_once);
        assert_eq!((repeated, verdict.wrong.len()), ((1, 1), 1));
    }

    #[test]
    fn what_comes_too_late_or_without_a_subscription_is_wrong() {
        let mut messages = published().1;
        let stream = |message: &Message| (message.topic.clone(), message.qos);
        let first = messages[0].clone();
        let next = messages[1..].iter().position(|one| stream(one) == stream(&first)).unwrap();
        messages.swap(0, next + 1);
        assert!(verdict(receipts(messages)).wrong[0].contains("came after"));
        let mut strangers = receipts(published().1);
        strangers.subscriptions[0].filter = "load/7/#".to_owned();
        let verdict = verdict(strangers);
        assert_eq!((verdict.lost, verdict.wrong.len()), (0, verdict.delivered));
    }
}
