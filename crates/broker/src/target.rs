//! Who gets the messages of a topic.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use engine::topics::{Match, Subscription, Topics};
use mqtt::{QoS, TopicName};
use smallvec::SmallVec;

use crate::device::Device;
use crate::node::Node;
use crate::subscribe::Subscriber;

/// One session that gets a message.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) device: Arc<Device>,
    /// Which of the device's sessions subscribed.
    pub(crate) generation: u64,
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
    pub(crate) shared: Vec<Arc<Vec<Subscription<Subscriber>>>>,
}

impl Target {
    fn new(subscription: &Subscription<Subscriber>) -> Self {
        Target {
            device: Arc::clone(&subscription.subscriber.device),
            generation: subscription.subscriber.generation,
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

/// Up to how many members all are looked at, so that those present take exact turns.
const FEW: usize = 64;

/// How many members of a larger group are tried at random before all are looked at.
const TRIES: usize = 8;

impl Turns {
    /// The member whose turn it is: one that is connected if any is ([MQTT-4.8.2-3] lets a server
    /// choose). None if there is no member.
    pub(crate) fn choose(&self, members: &[Subscription<Subscriber>]) -> Option<Target> {
        let turn = self.0.fetch_add(1, Ordering::Relaxed);
        let chosen = match members.len() {
            ..=FEW => among_present(members, turn),
            count => (0..TRIES)
                .map(|attempt| &members[scattered(turn, attempt) % count])
                .find(|member| is_present(member))
                .or_else(|| among_present(members, turn)),
        };
        // Who connects or leaves meanwhile may make it nobody's turn.
        let anybody = || members.get(turn.checked_rem(members.len())?);
        chosen.or_else(anybody).map(Target::new)
    }
}

fn is_present(member: &Subscription<Subscriber>) -> bool {
    member.subscriber.device.connected.load(Ordering::Relaxed)
}

fn among_present(
    members: &[Subscription<Subscriber>],
    turn: usize,
) -> Option<&Subscription<Subscriber>> {
    let present = members.iter().filter(|member| is_present(member)).count();
    let at = turn.checked_rem(present)?;
    members.iter().filter(|member| is_present(member)).nth(at)
}

/// The turn itself at first, then numbers all over (the multiplier is that of Fibonacci hashing).
fn scattered(turn: usize, attempt: usize) -> usize {
    turn.wrapping_add(attempt.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as usize) >> 16)
}

impl Node {
    /// Finds everybody who subscribes to the topic. `origin` is the publisher, who gets nothing by
    /// a subscription with No Local ([MQTT-3.8.3-3]).
    pub(crate) fn find_targets(
        &self,
        subscriptions: &Topics<Subscriber>,
        topic: TopicName<'_>,
        origin: Option<&Arc<Device>>,
        targets: &mut Targets,
    ) {
        targets.clear();
        let parent = self.rules.profile.multi_level_matches_parent;
        subscriptions.matches(topic, parent, |matched| match matched {
            Match::One(one) => {
                let is_own =
                    origin.is_some_and(|origin| Arc::ptr_eq(origin, &one.subscriber.device));
                if !(one.options.no_local && is_own) {
                    targets.each.push(Target::new(one));
                }
            }
            Match::Shared(group) => {
                targets.shared.push(Arc::clone(&group.members));
            }
        });
        targets.merge_same_devices();
    }
}
