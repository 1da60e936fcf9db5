//! Who gets the messages of a topic.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use engine::topics::{Match, Subscription};
use mqtt::{QoS, TopicName};
use smallvec::SmallVec;

use crate::device::Device;
use crate::node::Node;
use crate::subscribe::Subscriber;

/// One session that gets a message.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) device: Arc<Device>,
    /// The highest QoS it asked for.
    pub(crate) qos: QoS,
    /// Whether the RETAIN flag stays as it was published ([MQTT-3.3.1-13]).
    pub(crate) retain_as_published: bool,
    /// The identifiers of its subscriptions that match ([MQTT-3.3.4-4]).
    pub(crate) identifiers: SmallVec<[u32; 1]>,
}

/// Everybody who gets the messages of a topic.
#[derive(Default)]
pub(crate) struct Targets {
    /// Each session once, however many of its filters match.
    pub(crate) each: Vec<Target>,
    /// The members of each shared subscription, of whom one gets a message.
    pub(crate) shared: Vec<Vec<Target>>,
}

impl Target {
    fn new(subscription: &Subscription<Subscriber>) -> Self {
        Target {
            device: Arc::clone(&subscription.subscriber.0),
            qos: subscription.options.qos,
            retain_as_published: subscription.options.retain_as_published,
            identifiers: subscription.identifier.into_iter().collect(),
        }
    }

    /// Adds another subscription of the same session.
    fn merge(&mut self, other: &Target) {
        self.qos = self.qos.max(other.qos);
        self.retain_as_published |= other.retain_as_published;
        self.identifiers.extend_from_slice(&other.identifiers);
    }
}

impl Targets {
    fn clear(&mut self) {
        self.each.clear();
        self.shared.clear();
    }

    fn merge_same_devices(&mut self) {
        self.each.sort_by_key(|target| Arc::as_ptr(&target.device) as usize);
        self.each.dedup_by(|later, kept| {
            let same = Arc::ptr_eq(&later.device, &kept.device);
            if same {
                kept.merge(later);
            }
            same
        });
    }
}

/// Whose turn it is among the members of shared subscriptions.
#[derive(Default)]
pub(crate) struct Turns(AtomicUsize);

impl Turns {
    /// The member whose turn it is: one that is connected if any is ([MQTT-4.8.2-3] lets a server
    /// choose). None if there is no member.
    pub(crate) fn choose<'a>(&self, members: &'a [Target]) -> Option<&'a Target> {
        let turn = self.0.fetch_add(1, Ordering::Relaxed);
        let connected = |target: &&Target| target.device.connected.load(Ordering::Relaxed);
        let present = members.iter().filter(connected).count();
        let among_present = turn.checked_rem(present);
        // Who connects or leaves meanwhile may make it nobody's turn.
        among_present
            .and_then(|at| members.iter().filter(connected).nth(at))
            .or_else(|| members.get(turn.checked_rem(members.len())?))
    }
}

impl Node {
    /// Finds everybody who subscribes to the topic. `origin` is the publisher, who gets nothing by
    /// a subscription with No Local ([MQTT-3.8.3-3]).
    pub(crate) fn find_targets(
        &self,
        topic: TopicName<'_>,
        origin: Option<&Arc<Device>>,
        targets: &mut Targets,
    ) {
        targets.clear();
        let parent = self.rules.profile.multi_level_matches_parent;
        self.subscriptions.read().matches(topic, parent, |matched| match matched {
            Match::One(one) => {
                let is_own = origin.is_some_and(|origin| Arc::ptr_eq(origin, &one.subscriber.0));
                if !(one.options.no_local && is_own) {
                    targets.each.push(Target::new(one));
                }
            }
            Match::Shared(group) => {
                targets.shared.push(group.members.iter().map(Target::new).collect());
            }
        });
        targets.merge_same_devices();
    }
}
