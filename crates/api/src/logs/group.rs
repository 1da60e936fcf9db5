//! The one log group, and its log streams: one for each day, in UTC.

use std::ops::RangeInclusive;

use super::LogsError;
use super::input::Input;

/// The log group of AWS IoT's logs in the form V2 (spec 8.1).
pub(crate) const GROUP: &str = "AWSIotLogsV2";

/// How long the name of a group or a stream may be, in characters.
pub(super) const NAME_CHARACTERS: RangeInclusive<usize> = 1..=512;

const IDENTIFIER_CHARACTERS: RangeInclusive<usize> = 1..=2_048;

/// Whose log it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) region: String,
    pub(crate) account: String,
}

impl Owner {
    /// The ARN of the log group.
    pub(super) fn group_arn(&self) -> String {
        let Owner { region, account } = self;
        format!("arn:aws:logs:{region}:{account}:log-group:{GROUP}")
    }

    /// The ARN of a log stream.
    pub(super) fn stream_arn(&self, stream: &str) -> String {
        format!("{}:log-stream:{stream}", self.group_arn())
    }

    /// The name of the log stream of a day, such as `2026-11-26_123456789012_0`. At AWS a UUID
    /// stands in place of the day.
    pub(super) fn stream(&self, day: &str) -> String {
        format!("{day}_{}_0", self.account)
    }

    /// The name in the name or the ARN of a log group; the whole if it is an ARN of somebody else.
    pub(super) fn name_in<'a>(&self, identifier: &'a str) -> &'a str {
        let Owner { region, account } = self;
        let prefix = format!("arn:aws:logs:{region}:{account}:log-group:");
        match identifier.strip_prefix(prefix.as_str()) {
            Some(name) => name.strip_suffix(":*").unwrap_or(name),
            None => identifier,
        }
    }
}

/// The name of the log group that a request is about.
pub(super) fn named(input: &Input, owner: &Owner) -> Result<String, LogsError> {
    let name = input.text("logGroupName", NAME_CHARACTERS)?;
    let identifier = input.text("logGroupIdentifier", IDENTIFIER_CHARACTERS)?;
    match (name, identifier) {
        (Some(name), None) => Ok(name.to_owned()),
        (None, Some(identifier)) => Ok(owner.name_in(identifier).to_owned()),
        (None, None) | (Some(_), Some(_)) => Err(LogsError::InvalidParameter(
            "Either logGroupName or logGroupIdentifier must be given, and not both.".into(),
        )),
    }
}

/// The names or ARNs of a list, as names.
pub(super) fn listed(input: &Input, owner: &Owner) -> Result<Option<Vec<String>>, LogsError> {
    let identifiers = input.texts("logGroupIdentifiers", 1..=50, &IDENTIFIER_CHARACTERS)?;
    let name = |identifier: &str| owner.name_in(identifier).to_owned();
    Ok(identifiers.map(|identifiers| identifiers.into_iter().map(name).collect()))
}
