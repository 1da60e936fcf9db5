//! The retained messages.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use mqtt::{ClientId, TopicFilter, TopicName};

use crate::Moment;
use crate::message::Message;

/// The last message of a topic that was published with RETAIN ([MQTT-3.3.1-5]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retained {
    /// The message.
    pub message: Arc<Message>,
    /// When it was published, in milliseconds since 1970.
    pub modified_millis: u64,
    /// Whose connection published it, for No Local; none over HTTP.
    pub publisher: Option<ClientId>,
}

/// Which retained messages a new subscription gets.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// What their topics match.
    pub filter: TopicFilter<'a>,
    /// Whether `sensor/#` matches `sensor` ([MQTT-4.7.1-2]; AWS says no, spec 4.4).
    pub parent: bool,
    /// What [`RetainedMessages::sets`] said when it was made: what was set later came to it as it
    /// was published.
    pub until: u64,
    /// Only topics that come after this one.
    pub after: Option<&'a str>,
}

/// The retained messages of all topics, in the order of the topics' bytes.
#[derive(Debug, Default)]
pub struct RetainedMessages {
    topics: BTreeMap<Box<str>, Numbered>,
    sets: u64,
    /// Those that expire, the first to do so first.
    expiring: BTreeSet<(Moment, Box<str>)>,
}

#[derive(Debug)]
struct Numbered {
    /// Which of all that were ever set it is, from 1.
    number: u64,
    retained: Retained,
}

impl RetainedMessages {
    /// How often one was set.
    pub fn sets(&self) -> u64 {
        self.sets
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.topics.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.topics.is_empty()
    }

    /// Keeps the message in the place of the topic's last one.
    pub fn set(&mut self, retained: Retained) {
        let topic: Box<str> = retained.message.topic.as_str().into();
        self.remove(retained.message.topic.as_name());
        if let Some(expires) = retained.message.expires {
            self.expiring.insert((expires, topic.clone()));
        }
        self.sets += 1;
        self.topics.insert(topic, Numbered { number: self.sets, retained });
    }

    /// Keeps none any more for the topic ([MQTT-3.3.1-6]); says whether there was one.
    pub fn remove(&mut self, topic: TopicName<'_>) -> bool {
        let Some(removed) = self.topics.remove(topic.as_str()) else { return false };
        if let Some(expires) = removed.retained.message.expires {
            self.expiring.remove(&(expires, topic.as_str().into()));
        }
        true
    }

    /// Takes one whose life is over ([MQTT-3.3.2-5]).
    pub fn poll_expired(&mut self, now: Moment) -> Option<Retained> {
        let (expires, _) = self.expiring.first()?;
        if *expires > now {
            return None;
        }
        let (_, topic) = self.expiring.pop_first()?;
        self.topics.remove(&topic).map(|removed| removed.retained)
    }

    /// The topic's message, if it is still alive.
    pub fn get(&self, topic: &str, now: Moment) -> Option<&Retained> {
        let found = self.topics.get(topic).map(|numbered| &numbered.retained);
        found.filter(|retained| !retained.message.is_expired(now))
    }

    /// Those alive whose topic comes after `topic`, in order.
    pub fn after<'a>(
        &'a self,
        topic: Option<&str>,
        now: Moment,
    ) -> impl Iterator<Item = &'a Retained> {
        let start = topic.map_or(Bound::Unbounded, Bound::Excluded);
        let range = self.topics.range::<str, _>((start, Bound::Unbounded));
        range
            .map(|(_, numbered)| &numbered.retained)
            .filter(move |retained| !retained.message.is_expired(now))
    }

    /// At most `count` of those alive that are searched for, in order.
    pub fn matching(&self, search: &Search<'_>, now: Moment, count: usize) -> Vec<Retained> {
        let Search { filter, parent, until, after } = *search;
        let is_wanted = |numbered: &&Numbered| {
            numbered.number <= until && !numbered.retained.message.is_expired(now)
        };
        if !filter.has_wildcard() {
            let found = self.topics.get(filter.inner()).filter(|_| after.is_none());
            return found
                .filter(is_wanted)
                .map(|found| found.retained.clone())
                .into_iter()
                .collect();
        }
        let literal = literal_prefix(filter);
        let start = match after {
            Some(after) if after >= literal => Bound::Excluded(after),
            Some(_) | None => Bound::Included(literal),
        };
        let range = self.topics.range::<str, _>((start, Bound::Unbounded));
        range
            .take_while(|(topic, _)| topic.starts_with(literal))
            .map(|(_, numbered)| numbered)
            .filter(is_wanted)
            .map(|numbered| &numbered.retained)
            .filter(|retained| {
                let name = retained.message.topic.as_name();
                filter.matches(name) && (parent || !is_parent(filter, name))
            })
            .take(count)
            .cloned()
            .collect()
    }
}

/// What every topic that matches the filter starts with: the filter up to its first wildcard,
/// without the slash before it, as `a/#` matches `a`.
fn literal_prefix(filter: TopicFilter<'_>) -> &str {
    let inner = filter.inner();
    let wildcard = inner.find(['+', '#']).unwrap_or(inner.len());
    inner[..wildcard].trim_end_matches('/')
}

/// Whether the topic is the level above the filter's `#`.
fn is_parent(filter: TopicFilter<'_>, topic: TopicName<'_>) -> bool {
    filter.inner().ends_with("/#") && filter.levels().count() == topic.levels().count() + 1
}

#[cfg(test)]
mod tests {
    use mqtt::{PropertiesBuf, QoS};
    use proptest::prelude::*;

    use super::*;

    fn retained(topic: &str, expires: Option<u64>) -> Retained {
        let message = Message {
            topic: TopicName::parse(topic).expect("a topic").into(),
            qos: QoS::AtLeastOnce,
            retain: true,
            properties: PropertiesBuf::new(),
            payload: Box::default(),
            expires: expires.map(Moment::from_micros),
        };
        Retained { message: Arc::new(message), modified_millis: 0, publisher: None }
    }

    fn topics<'a>(found: impl IntoIterator<Item = &'a Retained>) -> Vec<&'a str> {
        found.into_iter().map(|retained| retained.message.topic.as_str()).collect()
    }

    /// The topics that match, found two at a time.
    fn matching(all: &RetainedMessages, filter: &str, parent: bool) -> Vec<String> {
        let filter = TopicFilter::parse(filter).expect("a filter");
        let mut found: Vec<String> = Vec::new();
        loop {
            let after = found.last().map(String::as_str);
            let search = Search { filter, parent, until: all.sets(), after };
            let some = all.matching(&search, Moment::START, 2);
            if some.is_empty() {
                return found;
            }
            found.extend(topics(&some).into_iter().map(str::to_owned));
        }
    }

    #[test]
    fn expired_messages_are_found_by_nobody_and_leave_once() {
        let mut all = RetainedMessages::default();
        all.set(retained("a", Some(5)));
        all.set(retained("b", None));
        all.set(retained("a", Some(9)));
        let now = Moment::from_micros(9);
        assert!(all.get("a", Moment::from_micros(8)).is_some());
        assert!(all.get("a", now).is_none());
        assert_eq!(topics(all.after(None, now)), ["b"]);
        assert_eq!(all.poll_expired(Moment::from_micros(8)), None);
        assert!(all.poll_expired(now).is_some());
        assert_eq!(all.poll_expired(now), None);
        assert_eq!(all.len(), 1);
    }

    #[test]
    fn the_parent_level_matches_only_when_asked() {
        let mut all = RetainedMessages::default();
        for topic in ["sensor", "sensor/a", "sensors"] {
            all.set(retained(topic, None));
        }
        assert_eq!(matching(&all, "sensor/#", true), ["sensor", "sensor/a"]);
        assert_eq!(matching(&all, "sensor/#", false), ["sensor/a"]);
    }

    proptest! {
        #[test]
        fn agrees_with_matching_each_topic_alone(
            names in proptest::collection::btree_set("([ab$]?/){0,3}[ab]", 1..12),
            filter in "([ab+]?/){0,3}([ab+]|#)",
        ) {
            let mut all = RetainedMessages::default();
            names.iter().for_each(|name| all.set(retained(name, None)));
            let parsed = TopicFilter::parse(&filter).expect("a filter");
            let expected: Vec<&str> = names
                .iter()
                .map(String::as_str)
                .filter(|name| parsed.matches(TopicName::parse(name).expect("a topic")))
                .collect();
            prop_assert_eq!(matching(&all, &filter, true), expected);
        }
    }
}
