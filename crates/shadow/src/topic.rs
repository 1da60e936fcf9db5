//! The reserved topics of shadows (spec 10.2).

use crate::answer::Kind;
use crate::id::{ShadowId, check_thing_name};

/// What every topic of a shadow begins with.
pub const PREFIX: &str = "$aws/things/";

/// What can be asked of a shadow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// To tell what it is.
    Get,
    /// To change it.
    Update,
    /// To delete it.
    Delete,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 3] = [Self::Get, Self::Update, Self::Delete];

    /// The last level of its topic.
    pub const fn word(self) -> &'static str {
        match self {
            Operation::Get => "get",
            Operation::Update => "update",
            Operation::Delete => "delete",
        }
    }
}

/// A topic on which a publish is a request:
/// `$aws/things/{thing}/shadow[/name/{name}]/(get|update|delete)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestTopic {
    /// Of which shadow.
    pub id: ShadowId,
    /// What is asked.
    pub operation: Operation,
}

impl RequestTopic {
    /// The request that a publish on this topic is; none for every other topic.
    pub fn parse(topic: &str) -> Option<Self> {
        let (thing, rest) = topic.strip_prefix(PREFIX)?.split_once("/shadow/")?;
        let (name, word) = match rest.strip_prefix("name/") {
            None => (None, rest),
            Some(named) => {
                let (name, word) = named.split_once('/')?;
                (Some(name), word)
            }
        };
        let operation = Operation::ALL.into_iter().find(|operation| operation.word() == word)?;
        let id = ShadowId::new(thing, name).ok()?;
        Some(RequestTopic { id, operation })
    }
}

impl ShadowId {
    /// The topic of requests.
    pub fn request_topic(&self, operation: Operation) -> String {
        self.topic(operation.word())
    }

    /// The topic of such an answer.
    pub fn answer_topic(&self, kind: Kind) -> String {
        self.topic(kind.levels())
    }

    fn topic(&self, last: &str) -> String {
        let thing = self.thing();
        match self.name() {
            None => format!("{PREFIX}{thing}/shadow/{last}"),
            Some(name) => format!("{PREFIX}{thing}/shadow/name/{name}/{last}"),
        }
    }
}

/// Whether a filter that begins with [`PREFIX`] can match topics of shadows and of nothing else that
/// is reserved, wildcards in the place of names included.
pub fn is_open_to_subscribers(filter: &str) -> bool {
    let Some(rest) = filter.strip_prefix(PREFIX) else { return false };
    let mut levels = rest.split('/');
    let thing = levels.next().unwrap_or_default();
    let service = levels.next();
    match (thing, service) {
        ("#", None) => true,
        (thing, Some("shadow" | "+" | "#")) => thing == "+" || check_thing_name(thing).is_ok(),
        (_, Some(_) | None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_back_from_its_topic() {
        for name in [None, Some("config"), Some("$c"), Some("name"), Some("get")] {
            for operation in Operation::ALL {
                let id = ShadowId::new("lamp:1", name).expect("valid");
                let topic = id.request_topic(operation);
                assert_eq!(RequestTopic::parse(&topic), Some(RequestTopic { id, operation }));
            }
        }
    }

    #[test]
    fn every_other_topic_is_no_request() {
        for topic in [
            "$aws/things/a/shadow",
            "$aws/things/a/shadow/",
            "$aws/things/a/shadow/put",
            "$aws/things/a/shadow/get/",
            "$aws/things/a/shadow/get/accepted",
            "$aws/things/a/shadow/update/documents",
            "$aws/things/a/shadow/name/get",
            "$aws/things/a/shadow/name//get",
            "$aws/things/a/shadow/name/b/c/get",
            "$aws/things//shadow/get",
            "$aws/things/a b/shadow/get",
            "$aws/things/a/b/shadow/get",
            "$aws/things/a/jobs/get",
            "aws/things/a/shadow/get",
        ] {
            assert_eq!(RequestTopic::parse(topic), None, "{topic}");
        }
    }

    #[test]
    fn filters_of_shadows_are_open_and_those_of_other_services_are_not() {
        for filter in [
            "$aws/things/a/shadow/update/accepted",
            "$aws/things/a/shadow/name/b/update/delta",
            "$aws/things/+/shadow/#",
            "$aws/things/a/#",
            "$aws/things/a/+/get/accepted",
            "$aws/things/#",
        ] {
            assert!(is_open_to_subscribers(filter), "{filter}");
        }
        for filter in [
            "$aws/things/a/jobs/notify",
            "$aws/things/+/jobs/#",
            "$aws/things/a",
            "$aws/things/",
            "$aws/things/a b/shadow/#",
            "$aws/#",
        ] {
            assert!(!is_open_to_subscribers(filter), "{filter}");
        }
    }
}
