//! What a subscriber subscribed to, and when.

use mqtt::{TopicFilter, TopicName};

use crate::stage::Stamp;

/// A subscription, from SUBSCRIBE to UNSUBACK.
#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    pub(crate) filter: String,
    /// The session it belongs to.
    pub(crate) generation: u64,
    /// When SUBSCRIBE was sent for the first time.
    pub(crate) asked: Stamp,
    /// When SUBACK came.
    pub(crate) granted: Option<Stamp>,
    /// When UNSUBSCRIBE was sent for the first time.
    pub(crate) leaving: Option<Stamp>,
    /// When UNSUBACK came.
    pub(crate) left: Option<Stamp>,
}

impl Subscription {
    pub(crate) fn new(filter: String, generation: u64, asked: Stamp) -> Self {
        Subscription { filter, generation, asked, granted: None, leaving: None, left: None }
    }

    /// Whether it is the server's turn to answer a request about it.
    pub(crate) fn is_pending(&self) -> bool {
        self.granted.is_none() || (self.leaving.is_some() && self.left.is_none())
    }

    pub(crate) fn matches(&self, topic: &str) -> bool {
        match (TopicFilter::parse(&self.filter), TopicName::parse(topic)) {
            (Ok(filter), Ok(topic)) => filter.matches(topic),
            (Err(_), _) | (_, Err(_)) => false,
        }
    }

    /// Whether a message that was first sent and was acknowledged then has to be delivered.
    pub(crate) fn demands(&self, first: Stamp, acknowledged: Stamp) -> bool {
        self.granted.is_some_and(|granted| granted < first)
            && self.leaving.is_none_or(|leaving| acknowledged < leaving)
    }

    /// Whether it may be delivered.
    pub(crate) fn allows(&self, first: Stamp, acknowledged: Option<Stamp>) -> bool {
        acknowledged.is_none_or(|acknowledged| self.asked < acknowledged)
            && self.left.is_none_or(|left| first < left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_owed_between_suback_and_unsubscribe_and_allowed_a_little_longer() {
        let mut subscription = Subscription::new("load/+/1".to_owned(), 0, 10);
        subscription.granted = Some(20);
        subscription.leaving = Some(30);
        subscription.left = Some(40);
        assert!(subscription.matches("load/3/1") && !subscription.matches("load/3/2"));
        assert!(subscription.demands(21, 29));
        assert!(!subscription.demands(19, 29) && subscription.allows(19, Some(29)));
        assert!(!subscription.demands(21, 31) && subscription.allows(21, Some(31)));
        assert!(!subscription.allows(1, Some(9)) && !subscription.allows(41, None));
    }
}
