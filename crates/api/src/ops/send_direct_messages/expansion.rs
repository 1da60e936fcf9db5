//! From what a sender names to the clients that it means.

use std::collections::HashSet;
use std::sync::Arc;

use broker::Node;
use engine::access::Peer;
use engine::limits::TARGETS;
use engine::outcome::{DirectOutcome, Invalid};
use foldhash::fast::RandomState;
use mqtt::{ClientId, TopicName};

use super::input::Asked;
use super::pattern::Pattern;
use crate::ops::client_id::is_addressable;

/// How many clients are looked at before others have their turn.
const LOOK: usize = 64;

/// Whom a message goes to.
pub(super) struct Targets {
    /// Each once.
    pub(super) client_ids: Vec<ClientId>,
    /// The patterns that nobody fits.
    pub(super) unmatched: Vec<Pattern>,
}

/// Finds the connected clients that fit the patterns. One that the sender may not send to does not
/// fit, so that nobody learns of it.
///
/// # Errors
/// They are too many.
pub(super) async fn expand(
    node: &Arc<Node>,
    sender: &Peer,
    topic: &str,
    asked: Asked,
) -> Result<Targets, DirectOutcome> {
    let mut found = Found::new(asked);
    if !found.patterns.is_empty() {
        for part in node.connected_clients() {
            for clients in part.chunks(LOOK) {
                let topic = TopicName::parse(topic).map_err(|_| DirectOutcome::Internal)?;
                let now = node.now();
                for client_id in clients {
                    let may_send =
                        || node.access().send_direct(sender, client_id, topic, now).is_ok();
                    found.look(client_id, may_send)?;
                }
                tokio::task::yield_now().await;
            }
        }
    }
    Ok(found.targets())
}

struct Found {
    seen: HashSet<ClientId, RandomState>,
    client_ids: Vec<ClientId>,
    /// Each with whether somebody fits it.
    patterns: Vec<(Pattern, bool)>,
}

impl Found {
    fn new(asked: Asked) -> Self {
        let mut seen = HashSet::with_hasher(RandomState::default());
        let mut client_ids = asked.client_ids;
        client_ids.retain(|client_id| seen.insert(client_id.clone()));
        let patterns = asked.patterns.into_iter().map(|pattern| (pattern, false)).collect();
        Found { seen, client_ids, patterns }
    }

    fn look(
        &mut self,
        client_id: &ClientId,
        may_send: impl FnOnce() -> bool,
    ) -> Result<(), DirectOutcome> {
        let text = client_id.as_str();
        // Before the patterns: those of a sender that may send to nobody cost nothing, and how long
        // it takes tells nothing of whom it may not send to.
        if !is_addressable(text) || !may_send() {
            return Ok(());
        }
        let mut fits = self.seen.contains(client_id);
        for (pattern, matched) in &mut self.patterns {
            // One that somebody fits has nothing to say of a client that is meant already.
            if (!fits || !*matched) && pattern.fits(text) {
                (fits, *matched) = (true, true);
            }
        }
        if fits && self.seen.insert(client_id.clone()) {
            self.client_ids.push(client_id.clone());
        }
        match self.client_ids.len() > TARGETS {
            false => Ok(()),
            true => Err(DirectOutcome::Invalid(Invalid::Request(format!(
                "clientIds names more than {TARGETS} clients, its patterns included; nothing was \
                 sent. Narrow the patterns."
            )))),
        }
    }

    fn targets(self) -> Targets {
        let unmatched = self.patterns.into_iter().filter(|(_, matched)| !matched);
        Targets {
            client_ids: self.client_ids,
            unmatched: unmatched.map(|(pattern, _)| pattern).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client_id(text: &str) -> ClientId {
        ClientId::parse(text).expect("valid")
    }

    fn found(client_ids: &[&str], patterns: &[&str]) -> Found {
        let patterns = patterns.iter().map(|text| Pattern::parse(text).expect("a pattern"));
        Found::new(Asked {
            client_ids: client_ids.iter().map(|text| client_id(text)).collect(),
            patterns: patterns.collect(),
        })
    }

    fn names(targets: &Targets) -> Vec<&str> {
        targets.client_ids.iter().map(ClientId::as_str).collect()
    }

    #[test]
    fn a_client_counts_once_however_often_it_is_named() {
        let mut found = found(&["lamp-1", "x", "lamp-1"], &["lamp-*", "*-1", "door-*"]);
        for text in ["lamp-1", "lamp-2", "door", "$sys-1"] {
            found.look(&client_id(text), || true).expect("few");
        }
        let targets = found.targets();
        assert_eq!(names(&targets), ["lamp-1", "x", "lamp-2"]);
        assert_eq!(targets.unmatched, [Pattern::parse("door-*").expect("a pattern")]);
    }

    #[test]
    fn a_client_that_is_named_counts_for_the_patterns_that_it_fits() {
        let mut found = found(&["lamp-1"], &["lamp-*", "door-*"]);
        found.look(&client_id("lamp-1"), || true).expect("few");
        let targets = found.targets();
        assert_eq!(names(&targets), ["lamp-1"]);
        assert_eq!(targets.unmatched, [Pattern::parse("door-*").expect("a pattern")]);
    }

    #[test]
    fn a_client_that_the_sender_may_not_send_to_is_as_good_as_absent() {
        let mut found = found(&[], &["lamp-*"]);
        found.look(&client_id("lamp-1"), || false).expect("few");
        let targets = found.targets();
        assert!(targets.client_ids.is_empty());
        assert_eq!(targets.unmatched.len(), 1);
    }

    #[test]
    fn more_than_the_bound_are_refused_with_its_number() {
        let mut found = found(&[], &["*"]);
        let mut look = |number: usize| found.look(&client_id(&number.to_string()), || true);
        (0..TARGETS).for_each(|number| look(number).expect("not too many"));
        let refused = look(TARGETS).expect_err("one too many");
        assert_eq!(refused.reason(), Some("INVALID_REQUEST"));
        assert!(refused.details().contains("more than 10000 clients"), "{}", refused.details());
    }
}
