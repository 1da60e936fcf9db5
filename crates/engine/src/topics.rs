//! Which subscriptions a topic matches.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use mqtt::{SubscribeOptions, TopicFilter, TopicName};

/// The subscriptions of all sessions: filters without wildcards by their text, the others in a
/// tree of levels. `K` names the subscriber.
#[derive(Debug)]
pub struct Topics<K> {
    exact: HashMap<Box<str>, Subscribers<K>, RandomState>,
    nodes: Vec<Node<K>>,
    free: Vec<usize>,
    /// How many shared subscriptions there are.
    groups: usize,
}

/// One subscriber of one filter.
#[derive(Clone, Debug)]
pub struct Subscription<K> {
    /// Who.
    pub subscriber: K,
    /// What was asked for.
    pub options: SubscribeOptions,
    /// The number that its messages carry ([MQTT-3.3.4-3]).
    pub identifier: Option<u32>,
}

/// The members of one shared subscription, one of whom gets each message ([MQTT-4.8.2-1] and its
/// like).
#[derive(Clone, Debug)]
pub struct Group<K> {
    name: Box<str>,
    /// Who takes part; shared with whoever chooses among them.
    pub members: Arc<Vec<Subscription<K>>>,
}

impl<K: PartialEq> Group<K> {
    /// How many members there are but for `subscriber`.
    pub fn others(&self, subscriber: &K) -> usize {
        self.members.iter().filter(|member| member.subscriber != *subscriber).count()
    }
}

/// What a topic matches.
#[derive(Debug)]
pub enum Match<'a, K> {
    /// A subscription of one session.
    One(&'a Subscription<K>),
    /// A shared subscription.
    Shared(&'a Group<K>),
}

/// Everybody who subscribes to one filter.
#[derive(Debug)]
struct Subscribers<K> {
    alone: Vec<Subscription<K>>,
    groups: Vec<Group<K>>,
}

#[derive(Debug)]
struct Node<K> {
    children: HashMap<Box<str>, usize, RandomState>,
    here: Subscribers<K>,
}

impl<K> Default for Subscribers<K> {
    fn default() -> Self {
        Subscribers { alone: Vec::new(), groups: Vec::new() }
    }
}

impl<K> Default for Node<K> {
    fn default() -> Self {
        Node { children: HashMap::default(), here: Subscribers::default() }
    }
}

const ROOT: usize = 0;

impl<K> Default for Topics<K> {
    fn default() -> Self {
        let (exact, nodes) = (HashMap::default(), vec![Node::default()]);
        Topics { exact, nodes, free: Vec::new(), groups: 0 }
    }
}

impl<K: Clone + PartialEq> Topics<K> {
    /// Adds a subscription, or replaces the one the subscriber has on this filter
    /// ([MQTT-3.8.4-3]).
    pub fn insert(&mut self, filter: TopicFilter<'_>, subscription: Subscription<K>) {
        let here = if filter.has_wildcard() {
            let node = self.node_for(filter);
            &mut self.nodes[node].here
        } else {
            self.exact.entry(filter.inner().into()).or_default()
        };
        let before = here.groups.len();
        here.insert(filter, subscription);
        self.groups += here.groups.len() - before;
    }

    /// Removes the subscriber's subscription on this filter; says whether there was one.
    pub fn remove(&mut self, filter: TopicFilter<'_>, subscriber: &K) -> bool {
        if filter.has_wildcard() {
            return self.remove_from_tree(filter, subscriber);
        }
        let Some(here) = self.exact.get_mut(filter.inner()) else { return false };
        let before = here.groups.len();
        let removed = here.remove(filter, subscriber);
        self.groups -= before - here.groups.len();
        if here.is_empty() {
            self.exact.remove(filter.inner());
        }
        removed
    }

    /// How many shared subscriptions there are; each is a name together with a filter.
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// The shared subscription of that name and filter, if it has a member.
    pub fn group(&self, filter: TopicFilter<'_>) -> Option<&Group<K>> {
        let here = if filter.has_wildcard() {
            let mut levels = filter.levels();
            let node =
                levels.try_fold(ROOT, |node, level| self.nodes[node].children.get(level).copied());
            node.map(|node| &self.nodes[node].here)
        } else {
            self.exact.get(filter.inner())
        };
        let name = filter.share_group();
        here?.groups.iter().find(|group| Some(&*group.name) == name)
    }

    /// Calls `found` for every matching subscription; a subscriber with several matching filters is
    /// named several times. `parent` says whether `sensor/#` matches `sensor` ([MQTT-4.7.1-1]; AWS
    /// says no, spec 4.4). Wildcards at the start do not match a topic that starts with `$`
    /// ([MQTT-4.7.2-1]).
    pub fn matches(&self, topic: TopicName<'_>, parent: bool, mut found: impl FnMut(Match<'_, K>)) {
        if let Some(here) = self.exact.get(topic.as_str()) {
            here.each(&mut found);
        }
        if self.nodes[ROOT].children.is_empty() {
            return;
        }
        let levels: smallvec::SmallVec<[&str; 8]> = topic.levels().collect();
        let mut pending: smallvec::SmallVec<[(usize, usize); 16]> = smallvec::smallvec![(ROOT, 0)];
        while let Some((node, depth)) = pending.pop() {
            let children = &self.nodes[node].children;
            let reserved = depth == 0 && topic.as_str().starts_with('$');
            let rest = levels.get(depth);
            if let Some(&multi) = children.get("#")
                && !reserved
                && (parent || rest.is_some())
            {
                self.nodes[multi].here.each(&mut found);
            }
            let Some(level) = rest else {
                self.nodes[node].here.each(&mut found);
                continue;
            };
            if let Some(&child) = children.get(*level) {
                pending.push((child, depth + 1));
            }
            if let Some(&child) = children.get("+")
                && !reserved
            {
                pending.push((child, depth + 1));
            }
        }
    }

    fn node_for(&mut self, filter: TopicFilter<'_>) -> usize {
        let mut node = ROOT;
        for level in filter.levels() {
            node = match self.nodes[node].children.get(level) {
                Some(&child) => child,
                None => {
                    let child = self.new_node();
                    self.nodes[node].children.insert(level.into(), child);
                    child
                }
            };
        }
        node
    }

    fn new_node(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            self.nodes.push(Node::default());
            self.nodes.len() - 1
        })
    }

    fn remove_from_tree(&mut self, filter: TopicFilter<'_>, subscriber: &K) -> bool {
        let mut path = Vec::new();
        let mut node = ROOT;
        for level in filter.levels() {
            let Some(&child) = self.nodes[node].children.get(level) else { return false };
            path.push((node, level));
            node = child;
        }
        let here = &mut self.nodes[node].here;
        let before = here.groups.len();
        let removed = here.remove(filter, subscriber);
        self.groups -= before - here.groups.len();
        while let Some((parent, level)) = path.pop() {
            if !self.nodes[node].here.is_empty() || !self.nodes[node].children.is_empty() {
                break;
            }
            self.nodes[parent].children.remove(level);
            self.nodes[node] = Node::default();
            self.free.push(node);
            node = parent;
        }
        removed
    }
}

impl<K: Clone + PartialEq> Subscribers<K> {
    fn insert(&mut self, filter: TopicFilter<'_>, subscription: Subscription<K>) {
        let list = match filter.share_group() {
            None => &mut self.alone,
            Some(name) => {
                let known = self.groups.iter().position(|group| *group.name == *name);
                let at = known.unwrap_or(self.groups.len());
                if known.is_none() {
                    self.groups.push(Group { name: name.into(), members: Arc::default() });
                }
                Arc::make_mut(&mut self.groups[at].members)
            }
        };
        match list.iter_mut().find(|present| present.subscriber == subscription.subscriber) {
            Some(present) => *present = subscription,
            None => list.push(subscription),
        }
    }

    fn remove(&mut self, filter: TopicFilter<'_>, subscriber: &K) -> bool {
        let Some(name) = filter.share_group() else { return take(&mut self.alone, subscriber) };
        let Some(at) = self.groups.iter().position(|group| *group.name == *name) else {
            return false;
        };
        let removed = take(Arc::make_mut(&mut self.groups[at].members), subscriber);
        if self.groups[at].members.is_empty() {
            self.groups.swap_remove(at);
        }
        removed
    }

    fn is_empty(&self) -> bool {
        self.alone.is_empty() && self.groups.is_empty()
    }

    fn each(&self, found: &mut impl FnMut(Match<'_, K>)) {
        self.alone.iter().for_each(|subscription| found(Match::One(subscription)));
        self.groups.iter().for_each(|group| found(Match::Shared(group)));
    }
}

fn take<K: PartialEq>(here: &mut Vec<Subscription<K>>, subscriber: &K) -> bool {
    let Some(at) = here.iter().position(|present| present.subscriber == *subscriber) else {
        return false;
    };
    here.swap_remove(at);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn filter(text: &str) -> TopicFilter<'_> {
        TopicFilter::parse(text).expect("a filter")
    }

    fn subscription(subscriber: usize) -> Subscription<usize> {
        Subscription { subscriber, options: SubscribeOptions::default(), identifier: None }
    }

    fn matching(topics: &Topics<usize>, topic: &str, parent: bool) -> Vec<usize> {
        let mut found = Vec::new();
        let topic = TopicName::parse(topic).expect("a topic");
        topics.matches(topic, parent, |matched| match matched {
            Match::One(subscription) => found.push(subscription.subscriber),
            Match::Shared(group) => found.extend(group.members.iter().map(|m| m.subscriber)),
        });
        found.sort_unstable();
        found
    }

    #[test]
    fn the_parent_level_matches_only_when_asked() {
        let mut topics = Topics::default();
        topics.insert(filter("sensor/#"), subscription(1));
        assert_eq!(matching(&topics, "sensor", true), [1]);
        assert_eq!(matching(&topics, "sensor", false), [0; 0]);
        assert_eq!(matching(&topics, "sensor/a/b", false), [1]);
    }

    #[test]
    fn wildcards_at_the_start_leave_dollar_topics_alone() {
        let mut topics = Topics::default();
        for (at, text) in ["#", "+/a", "$x/#", "$x/a"].iter().enumerate() {
            topics.insert(filter(text), subscription(at));
        }
        assert_eq!(matching(&topics, "$x/a", true), [2, 3]);
    }

    #[test]
    fn subscribing_again_replaces_and_removing_frees_every_node() {
        let mut topics = Topics::default();
        for _ in 0..3 {
            topics.insert(filter("a/+/c"), subscription(1));
        }
        assert_eq!(matching(&topics, "a/b/c", true), [1]);
        assert!(topics.remove(filter("a/+/c"), &1));
        assert!(!topics.remove(filter("a/+/c"), &1));
        assert_eq!(topics.free.len(), topics.nodes.len() - 1);
    }

    #[test]
    fn a_shared_subscription_is_one_match_however_many_share_it() {
        let mut topics = Topics::default();
        let (shared, other) = ("$share/g/a/+", "$share/h/a/+");
        for at in 0..3 {
            topics.insert(filter(shared), subscription(at));
        }
        topics.insert(filter(other), subscription(3));
        topics.insert(filter("a/+"), subscription(0));
        let mut groups = Vec::new();
        topics.matches(TopicName::parse("a/b").expect("a topic"), true, |matched| {
            if let Match::Shared(group) = matched {
                groups.push(group.members.len());
            }
        });
        assert_eq!(groups, [3, 1]);
        let group = topics.group(filter(shared)).expect("it has members");
        assert_eq!((group.others(&0), group.others(&3)), (2, 3));
        assert!(topics.group(filter("$share/g/b/+")).is_none());
        assert!(topics.remove(filter(other), &3));
        assert!(!topics.remove(filter(other), &3));
        for at in 0..3 {
            assert!(topics.remove(filter(shared), &at));
        }
        assert_eq!(matching(&topics, "a/b", true), [0]);
        assert!(topics.remove(filter("a/+"), &0));
        assert_eq!(topics.free.len(), topics.nodes.len() - 1);
    }

    #[test]
    fn shared_subscriptions_are_counted_by_name_and_filter() {
        let mut topics = Topics::default();
        let filters = ["$share/g/a", "$share/g/a/#", "$share/h/a", "a"];
        for (text, expected) in filters.iter().zip([1, 2, 3, 3]) {
            for member in 0..2 {
                topics.insert(filter(text), subscription(member));
            }
            assert_eq!(topics.groups(), expected);
        }
        for (text, expected) in filters.iter().zip([2, 1, 0, 0]) {
            let before = topics.groups();
            topics.remove(filter(text), &0);
            assert_eq!(topics.groups(), before, "one member is left");
            topics.remove(filter(text), &1);
            assert_eq!(topics.groups(), expected);
        }
    }

    proptest! {
        #[test]
        fn agrees_with_matching_each_filter_alone(
            filters in proptest::collection::vec("([ab+]/){0,3}([ab+]|#)", 1..12),
            topic in "([ab]/){0,3}[ab]",
            gone in any::<prop::sample::Index>(),
        ) {
            let mut topics = Topics::default();
            for (at, text) in filters.iter().enumerate() {
                topics.insert(filter(text), subscription(at));
            }
            let gone = gone.index(filters.len());
            prop_assert!(topics.remove(filter(&filters[gone]), &gone));
            let name = TopicName::parse(&topic).expect("a topic");
            let expected: Vec<usize> = (0..filters.len())
                .filter(|at| *at != gone && filter(&filters[*at]).matches(name))
                .collect();
            prop_assert_eq!(matching(&topics, &topic, true), expected);
        }
    }
}
