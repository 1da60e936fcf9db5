//! The actions a policy can grant.

use std::fmt;
use std::str::FromStr;

/// An action that is checked against policies: those of the `iot` data plane (spec 6.2), those that
/// read its log, and one of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// Open an MQTT connection under a client ID.
    Connect,
    /// Publish to a topic, over MQTT or HTTP; also needed for a will's topic.
    Publish,
    /// Publish with the retain flag; [`Action::Publish`] is needed as well.
    RetainPublish,
    /// Subscribe to a topic filter.
    Subscribe,
    /// Be delivered a message on a topic, direct messages included.
    Receive,
    /// Send a direct message to a client.
    SendDirectMessage,
    /// Read the state of a client's connection.
    GetConnection,
    /// Disconnect a client.
    DeleteConnection,
    /// List a client's subscriptions.
    ListSubscriptions,
    /// Read the retained message of one topic.
    GetRetainedMessage,
    /// List the topics with retained messages.
    ListRetainedMessages,
    /// Read a shadow over HTTP.
    GetThingShadow,
    /// Change a shadow over HTTP.
    UpdateThingShadow,
    /// Delete a shadow over HTTP.
    DeleteThingShadow,
    /// List a thing's named shadows.
    ListNamedShadowsForThing,
    /// Be told which statement decided. Ours: `iot:*` does not reach it, `*` does.
    Explain,
    /// List the log groups.
    DescribeLogGroups,
    /// List the log streams of a log group.
    DescribeLogStreams,
    /// Read the events of a log stream.
    GetLogEvents,
    /// Search the events of a log group.
    FilterLogEvents,
}

impl Action {
    /// Every action, in declaration order: `ALL[i].index() == i`.
    pub const ALL: [Action; 20] = [
        Action::Connect,
        Action::Publish,
        Action::RetainPublish,
        Action::Subscribe,
        Action::Receive,
        Action::SendDirectMessage,
        Action::GetConnection,
        Action::DeleteConnection,
        Action::ListSubscriptions,
        Action::GetRetainedMessage,
        Action::ListRetainedMessages,
        Action::GetThingShadow,
        Action::UpdateThingShadow,
        Action::DeleteThingShadow,
        Action::ListNamedShadowsForThing,
        Action::Explain,
        Action::DescribeLogGroups,
        Action::DescribeLogStreams,
        Action::GetLogEvents,
        Action::FilterLogEvents,
    ];

    /// The name a policy uses, with its service prefix: `iot:Connect`.
    pub fn name(self) -> &'static str {
        match self {
            Action::Connect => "iot:Connect",
            Action::Publish => "iot:Publish",
            Action::RetainPublish => "iot:RetainPublish",
            Action::Subscribe => "iot:Subscribe",
            Action::Receive => "iot:Receive",
            Action::SendDirectMessage => "iot:SendDirectMessage",
            Action::GetConnection => "iot:GetConnection",
            Action::DeleteConnection => "iot:DeleteConnection",
            Action::ListSubscriptions => "iot:ListSubscriptions",
            Action::GetRetainedMessage => "iot:GetRetainedMessage",
            Action::ListRetainedMessages => "iot:ListRetainedMessages",
            Action::GetThingShadow => "iot:GetThingShadow",
            Action::UpdateThingShadow => "iot:UpdateThingShadow",
            Action::DeleteThingShadow => "iot:DeleteThingShadow",
            Action::ListNamedShadowsForThing => "iot:ListNamedShadowsForThing",
            Action::Explain => "tenfour:Explain",
            Action::DescribeLogGroups => "logs:DescribeLogGroups",
            Action::DescribeLogStreams => "logs:DescribeLogStreams",
            Action::GetLogEvents => "logs:GetLogEvents",
            Action::FilterLogEvents => "logs:FilterLogEvents",
        }
    }

    /// The position in [`Action::ALL`].
    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no data-plane action.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a data-plane action; one would be `iot:Publish` or `iot:SendDirectMessage`")]
pub struct UnknownAction(String);

impl FromStr for Action {
    type Err = UnknownAction;

    /// Reads `iot:Connect` and the like; as in IAM, letter case does not matter.
    fn from_str(text: &str) -> Result<Action, UnknownAction> {
        Action::ALL
            .into_iter()
            .find(|action| action.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownAction(text.to_owned()))
    }
}

/// A set of actions: what the `Action` or `NotAction` element of a statement covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct ActionSet(u32);

impl ActionSet {
    const EVERY: u32 = (1 << Action::ALL.len()) - 1;

    /// Adds what `pattern` (`iot:Send*`, `*`, `s3:GetObject`) covers, which may be nothing.
    pub(crate) fn add_matching(&mut self, pattern: &str) {
        let pattern = pattern.to_ascii_lowercase();
        for action in Action::ALL {
            let name = action.name().to_ascii_lowercase();
            if crate::pattern::wildcard_matches(&pattern, &name) {
                self.0 |= 1 << action.index();
            }
        }
    }

    /// The actions that are not in this set.
    pub(crate) fn complement(self) -> ActionSet {
        ActionSet(!self.0 & ActionSet::EVERY)
    }

    /// Whether `action` is in the set.
    pub(crate) fn contains(self, action: Action) -> bool {
        self.0 & (1 << action.index()) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_in_any_letter_case() {
        for (position, action) in Action::ALL.into_iter().enumerate() {
            assert_eq!(action.index(), position);
            assert_eq!(action.name().parse(), Ok(action));
            assert_eq!(action.name().to_ascii_uppercase().parse(), Ok(action));
        }
        assert!("Connect".parse::<Action>().is_err());
        assert!("iot:".parse::<Action>().is_err());
    }

    #[test]
    fn an_action_pattern_covers_what_its_wildcards_reach() {
        let covered = |pattern: &str| {
            let mut set = ActionSet::default();
            set.add_matching(pattern);
            Action::ALL.into_iter().filter(|action| set.contains(*action)).collect::<Vec<_>>()
        };
        assert_eq!(covered("iot:*").len(), 15);
        assert_eq!(covered("*").len(), 20);
        assert_eq!(covered("logs:*").len(), 4);
        assert_eq!(covered("logs:Get*"), [Action::GetLogEvents]);
        assert_eq!(covered("Tenfour:Explain"), [Action::Explain]);
        assert!(!covered("iot:*").contains(&Action::Explain), "AWS's wildcard stays AWS's");
        assert_eq!(covered("IOT:send*"), [Action::SendDirectMessage]);
        assert_eq!(
            covered("iot:*Publish"),
            [Action::Publish, Action::RetainPublish],
            "a wildcard reaches both ways of publishing"
        );
        assert_eq!(covered("iot:CreateThing"), []);
        assert_eq!(covered("s3:*"), []);
        let mut none = ActionSet::default();
        none.add_matching("iot:Connect");
        assert!(!none.complement().contains(Action::Connect));
        assert!(none.complement().contains(Action::Publish));
    }
}
