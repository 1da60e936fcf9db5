//! Retained messages on their way to a new subscription ([MQTT-3.3.1-9] to [MQTT-3.3.1-11]).

use std::sync::Arc;

use engine::Moment;
use engine::message::Shared;
use engine::retained::{Retained, Search};
use engine::session::Delivery;
use mqtt::{QoS, TopicFilter};

use crate::connection::Connection;
use crate::device::{Device, Subscribed};
use crate::events::Link;
use crate::node::Node;

/// How many retained messages are looked up at once.
const AT_ONCE: usize = 64;

/// A subscription that has retained messages to come: however many there are, they are sent as there
/// is room, in the order of their topics.
pub(crate) struct CatchUp {
    filter: Box<str>,
    subscribed: Subscribed,
    /// How many messages had been retained when it was made.
    until: u64,
    /// The topic of the last one that was sent.
    after: Option<Box<str>>,
}

impl CatchUp {
    pub(crate) fn new(filter: TopicFilter<'_>, subscribed: Subscribed, until: u64) -> Self {
        CatchUp { filter: filter.as_str().into(), subscribed, until, after: None }
    }
}

impl Node {
    /// Sends as many of the retained messages that a connection waits for as there is room for.
    pub(crate) fn send_retained(
        &self,
        device: &Arc<Device>,
        connection: &mut Connection,
        now: Moment,
    ) {
        while let Some(mut catch_up) = connection.catch_ups.pop_front() {
            let some = self.retained_after_last(&catch_up, now);
            if some.is_empty() {
                continue;
            }
            for retained in &some {
                if !connection.has_room() {
                    break;
                }
                let subscribed = &catch_up.subscribed;
                // [MQTT-3.8.3-3]
                let is_own = retained.publisher.as_ref() == Some(&device.client_id);
                if !(subscribed.options.no_local && is_own) {
                    self.send_one_retained(connection, retained, subscribed, now);
                }
                catch_up.after = Some(retained.message.topic.as_str().into());
            }
            connection.catch_ups.push_front(catch_up);
            if !connection.has_room() {
                return;
            }
        }
    }

    fn retained_after_last(&self, catch_up: &CatchUp, now: Moment) -> Vec<Retained> {
        let Ok(filter) = TopicFilter::parse(&catch_up.filter) else { return Vec::new() };
        let search = Search {
            filter,
            parent: self.rules.profile.multi_level_matches_parent,
            until: catch_up.until,
            after: catch_up.after.as_deref(),
        };
        self.retained.read().matching(&search, now, AT_ONCE)
    }

    fn send_one_retained(
        &self,
        connection: &mut Connection,
        retained: &Retained,
        subscribed: &Subscribed,
        now: Moment,
    ) {
        let message = Shared::kept(&retained.message);
        let delivery = Delivery {
            message: &message,
            qos: QoS::min(subscribed.options.qos, retained.message.qos),
            retain: true,
            identifiers: subscribed.identifier.as_slice(),
        };
        let end = self.hand_to(connection, &delivery, now);
        let link = Link { trace_id: connection.trace_id, peer: &connection.peer };
        let version = connection.session.version();
        self.publish_out(link, version, message.publication(), end);
    }

    /// Whether there may be retained messages for a new subscription.
    pub(crate) fn has_retained_for(&self, filter: TopicFilter<'_>, now: Moment) -> bool {
        let all = self.retained.read();
        if filter.has_wildcard() {
            self.rules.profile.retained_on_wildcards && !all.is_empty()
        } else {
            all.get(filter.inner(), now).is_some()
        }
    }
}
