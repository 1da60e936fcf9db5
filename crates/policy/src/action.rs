//! The actions a policy can grant.

use std::fmt;
use std::str::FromStr;

/// Declares the actions once: each with its name in a policy, in the order of [`Action::ALL`].
macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident => $name:literal,)*) => {
        /// An action that is checked against policies: those of the `iot` data plane (spec 6.2), those
        /// of its control plane (spec 11), those that read its log, and one of ours.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Action {
            $($(#[$doc])* $variant,)*
        }

        impl Action {
            /// Every action, in declaration order: `ALL[i].index() == i`.
            pub const ALL: [Action; [$($name),*].len()] = [$(Action::$variant),*];

            /// The name a policy uses, with its service prefix: `iot:Connect`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Action::$variant => $name,)*
                }
            }
        }
    };
}

actions! {
    /// Open an MQTT connection under a client ID.
    Connect => "iot:Connect",
    /// Publish to a topic, over MQTT or HTTP; also needed for a will's topic.
    Publish => "iot:Publish",
    /// Publish with the retain flag; [`Action::Publish`] is needed as well.
    RetainPublish => "iot:RetainPublish",
    /// Subscribe to a topic filter.
    Subscribe => "iot:Subscribe",
    /// Be delivered a message on a topic, direct messages included.
    Receive => "iot:Receive",
    /// Send a direct message to a client.
    SendDirectMessage => "iot:SendDirectMessage",
    /// Read the state of a client's connection.
    GetConnection => "iot:GetConnection",
    /// Disconnect a client.
    DeleteConnection => "iot:DeleteConnection",
    /// List a client's subscriptions.
    ListSubscriptions => "iot:ListSubscriptions",
    /// Read the retained message of one topic.
    GetRetainedMessage => "iot:GetRetainedMessage",
    /// List the topics with retained messages.
    ListRetainedMessages => "iot:ListRetainedMessages",
    /// Read a shadow over HTTP.
    GetThingShadow => "iot:GetThingShadow",
    /// Change a shadow over HTTP.
    UpdateThingShadow => "iot:UpdateThingShadow",
    /// Delete a shadow over HTTP.
    DeleteThingShadow => "iot:DeleteThingShadow",
    /// List a thing's named shadows.
    ListNamedShadowsForThing => "iot:ListNamedShadowsForThing",
    /// Be told which statement decided. Ours: `iot:*` does not reach it, `*` does.
    Explain => "tenfour:Explain",
    /// Make a key pair and a certificate.
    CreateKeysAndCertificate => "iot:CreateKeysAndCertificate",
    /// Have a certificate made for a key of one's own.
    CreateCertificateFromCsr => "iot:CreateCertificateFromCsr",
    /// Register a certificate of a registered authority.
    RegisterCertificate => "iot:RegisterCertificate",
    /// Register a certificate by its fingerprint alone.
    RegisterCertificateWithoutCA => "iot:RegisterCertificateWithoutCA",
    /// Change the status of a certificate.
    UpdateCertificate => "iot:UpdateCertificate",
    /// Read a certificate.
    DescribeCertificate => "iot:DescribeCertificate",
    /// List the certificates.
    ListCertificates => "iot:ListCertificates",
    /// List the certificates of one authority.
    ListCertificatesByCA => "iot:ListCertificatesByCA",
    /// Delete a certificate.
    DeleteCertificate => "iot:DeleteCertificate",
    /// Register a certificate authority.
    RegisterCACertificate => "iot:RegisterCACertificate",
    /// Read a certificate authority.
    DescribeCACertificate => "iot:DescribeCACertificate",
    /// List the certificate authorities.
    ListCACertificates => "iot:ListCACertificates",
    /// Change the status of a certificate authority.
    UpdateCACertificate => "iot:UpdateCACertificate",
    /// Delete a certificate authority.
    DeleteCACertificate => "iot:DeleteCACertificate",
    /// Read the code that proves an authority's possession.
    GetRegistrationCode => "iot:GetRegistrationCode",
    /// Have the next code be another.
    DeleteRegistrationCode => "iot:DeleteRegistrationCode",
    /// Make a policy.
    CreatePolicy => "iot:CreatePolicy",
    /// Add a version to a policy.
    CreatePolicyVersion => "iot:CreatePolicyVersion",
    /// Read a policy.
    GetPolicy => "iot:GetPolicy",
    /// Read a version of a policy.
    GetPolicyVersion => "iot:GetPolicyVersion",
    /// Choose the version of a policy that is in force.
    SetDefaultPolicyVersion => "iot:SetDefaultPolicyVersion",
    /// List the policies.
    ListPolicies => "iot:ListPolicies",
    /// List the versions of a policy.
    ListPolicyVersions => "iot:ListPolicyVersions",
    /// Delete a policy.
    DeletePolicy => "iot:DeletePolicy",
    /// Delete a version of a policy.
    DeletePolicyVersion => "iot:DeletePolicyVersion",
    /// Attach a policy to a certificate.
    AttachPolicy => "iot:AttachPolicy",
    /// Detach a policy from a certificate.
    DetachPolicy => "iot:DetachPolicy",
    /// List the policies of a certificate.
    ListAttachedPolicies => "iot:ListAttachedPolicies",
    /// List the certificates of a policy.
    ListTargetsForPolicy => "iot:ListTargetsForPolicy",
    /// Make a thing.
    CreateThing => "iot:CreateThing",
    /// Read a thing.
    DescribeThing => "iot:DescribeThing",
    /// Change a thing.
    UpdateThing => "iot:UpdateThing",
    /// Delete a thing.
    DeleteThing => "iot:DeleteThing",
    /// List the things.
    ListThings => "iot:ListThings",
    /// Attach a certificate to a thing.
    AttachThingPrincipal => "iot:AttachThingPrincipal",
    /// Detach a certificate from a thing.
    DetachThingPrincipal => "iot:DetachThingPrincipal",
    /// List the certificates of a thing.
    ListThingPrincipals => "iot:ListThingPrincipals",
    /// List the things of a certificate.
    ListPrincipalThings => "iot:ListPrincipalThings",
    /// Be told where devices and senders connect.
    DescribeEndpoint => "iot:DescribeEndpoint",
    /// Ask what a certificate may do.
    TestAuthorization => "iot:TestAuthorization",
    /// Change the level of the log.
    SetV2LoggingOptions => "iot:SetV2LoggingOptions",
    /// Read the level of the log.
    GetV2LoggingOptions => "iot:GetV2LoggingOptions",
    /// Change the level of the log for a target.
    SetV2LoggingLevel => "iot:SetV2LoggingLevel",
    /// Take the level of the log for a target back.
    DeleteV2LoggingLevel => "iot:DeleteV2LoggingLevel",
    /// List the levels of the log by target.
    ListV2LoggingLevels => "iot:ListV2LoggingLevels",
    /// List the log groups.
    DescribeLogGroups => "logs:DescribeLogGroups",
    /// List the log streams of a log group.
    DescribeLogStreams => "logs:DescribeLogStreams",
    /// Read the events of a log stream.
    GetLogEvents => "logs:GetLogEvents",
    /// Search the events of a log group.
    FilterLogEvents => "logs:FilterLogEvents",
}

impl Action {
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

/// A text that names no action.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an action; one would be `iot:Publish` or `iot:SendDirectMessage`")]
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
pub(crate) struct ActionSet(u128);

impl ActionSet {
    const EVERY: u128 = (1 << Action::ALL.len()) - 1;

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
        assert_eq!(covered("iot:*").len(), Action::ALL.len() - 1 - 4);
        assert_eq!(covered("logs:*").len(), 4);
        assert_eq!(covered("logs:Get*"), [Action::GetLogEvents]);
        assert_eq!(covered("*").len(), Action::ALL.len());
        assert_eq!(covered("Tenfour:Explain"), [Action::Explain]);
        assert!(!covered("iot:*").contains(&Action::Explain), "AWS's wildcard stays AWS's");
        assert_eq!(covered("IOT:send*"), [Action::SendDirectMessage]);
        assert_eq!(
            covered("iot:*Publish"),
            [Action::Publish, Action::RetainPublish],
            "a wildcard reaches both ways of publishing"
        );
        assert_eq!(covered("iot:CreateThing"), [Action::CreateThing]);
        assert_eq!(covered("iot:CreateJob"), []);
        assert_eq!(covered("s3:*"), []);
        let mut none = ActionSet::default();
        none.add_matching("iot:Connect");
        assert!(!none.complement().contains(Action::Connect));
        assert!(none.complement().contains(Action::Publish));
    }
}
