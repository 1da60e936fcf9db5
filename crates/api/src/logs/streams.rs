//! DescribeLogStreams.

use serde_json::{Value, json};
use telemetry::{LogDay, LogRing};

use super::LogsError;
use super::group::{NAME_CHARACTERS, Owner};
use super::input::Input;
use super::token;
use crate::ops::page_token;

/// Most streams of one page.
const PAGE: u64 = 50;

/// A call, checked. The streams are in the order of their names, and so of their last events.
#[derive(Debug)]
pub(super) struct DescribeLogStreams {
    prefix: Option<String>,
    descending: bool,
    /// The last stream of the page before.
    after: Option<String>,
    limit: usize,
}

impl DescribeLogStreams {
    pub(super) fn parse(input: &Input) -> Result<Self, LogsError> {
        let prefix = input.text("logStreamNamePrefix", NAME_CHARACTERS)?;
        match (input.text("orderBy", NAME_CHARACTERS)?, prefix) {
            (None | Some("LogStreamName"), _) | (Some("LastEventTime"), None) => {}
            (Some("LastEventTime"), Some(_)) => {
                return Err(LogsError::InvalidParameter(
                    "Cannot order by LastEventTime with a logStreamNamePrefix.".into(),
                ));
            }
            (Some(_), _) => {
                return Err(LogsError::InvalidParameter(
                    "orderBy must be LogStreamName or LastEventTime.".into(),
                ));
            }
        }
        let token = input.text("nextToken", token::CHARACTERS)?;
        let after = token.map(|token| page_token::decode(token).ok_or_else(token::invalid));
        let limit = input.number("limit", 1..=PAGE)?.unwrap_or(PAGE);
        Ok(DescribeLogStreams {
            prefix: prefix.map(str::to_owned),
            descending: input.boolean("descending")?.unwrap_or(false),
            after: after.transpose()?,
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
        })
    }

    pub(super) fn answer(&self, ring: &LogRing, owner: &Owner) -> Value {
        let mut days = ring.days();
        if self.descending {
            days.reverse();
        }
        let named = days.into_iter().map(|day| (owner.stream(&day.day), day));
        let mut streams = named.filter(|(name, _)| self.wants(name)).collect::<Vec<_>>();
        let more = streams.len() > self.limit;
        streams.truncate(self.limit);
        let described = streams.iter().map(|(name, day)| describe(owner, name, day));
        let mut answer = json!({ "logStreams": described.collect::<Vec<_>>() });
        if let (true, Some((last, _))) = (more, streams.last()) {
            answer["nextToken"] = page_token::encode(last).into();
        }
        answer
    }

    fn wants(&self, name: &str) -> bool {
        let follows = self.after.as_deref().is_none_or(|after| match self.descending {
            true => name < after,
            false => name > after,
        });
        follows && self.prefix.as_deref().is_none_or(|prefix| name.starts_with(prefix))
    }
}

fn describe(owner: &Owner, name: &str, day: &LogDay) -> Value {
    json!({
        "logStreamName": name,
        "creationTime": day.first_millis,
        "firstEventTimestamp": day.first_millis,
        "lastEventTimestamp": day.last_millis,
        "lastIngestionTime": day.last_millis,
        "arn": owner.stream_arn(name),
        "storedBytes": day.bytes,
    })
}
