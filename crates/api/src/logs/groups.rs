//! DescribeLogGroups.

use serde_json::{Value, json};
use telemetry::LogRing;

use super::LogsError;
use super::group::{self, GROUP, NAME_CHARACTERS, Owner};
use super::input::Input;
use super::token;

/// The classes that a log group may have.
const CLASSES: [&str; 4] = ["STANDARD", "INFREQUENT_ACCESS", "DELIVERY", "ESSENTIALS"];

/// A call, checked.
#[derive(Debug)]
pub(super) struct DescribeLogGroups {
    /// Whether the group is among those that are asked for.
    wanted: bool,
}

impl DescribeLogGroups {
    pub(super) fn parse(input: &Input, owner: &Owner) -> Result<Self, LogsError> {
        input.exclude("logGroupNamePrefix", "logGroupNamePattern")?;
        input.exclude("logGroupIdentifiers", "logGroupNamePrefix")?;
        input.exclude("logGroupIdentifiers", "logGroupNamePattern")?;
        let prefix = input.text("logGroupNamePrefix", NAME_CHARACTERS)?;
        let pattern = input.text("logGroupNamePattern", 0..=512)?;
        let names = group::listed(input, owner)?;
        let class = input.text("logGroupClass", NAME_CHARACTERS)?;
        if class.is_some_and(|class| !CLASSES.contains(&class)) {
            return Err(LogsError::InvalidParameter(format!(
                "logGroupClass must be one of {}.",
                CLASSES.join(", ")
            )));
        }
        input.number("limit", 1..=50)?;
        // There is never a second page.
        if input.text("nextToken", token::CHARACTERS)?.is_some() {
            return Err(token::invalid());
        }
        let wanted = prefix.is_none_or(|prefix| GROUP.starts_with(prefix))
            && pattern.is_none_or(|pattern| GROUP.contains(pattern))
            && names.is_none_or(|names| names.iter().any(|name| name == GROUP))
            && class.is_none_or(|class| class == CLASSES[0]);
        Ok(DescribeLogGroups { wanted })
    }

    /// The group, if entries are kept at all.
    pub(super) fn answer(&self, ring: Option<&LogRing>, owner: &Owner, now_millis: u64) -> Value {
        let ring = ring.filter(|_| self.wanted);
        let groups: Vec<_> =
            ring.map(|ring| describe(ring, owner, now_millis)).into_iter().collect();
        json!({ "logGroups": groups })
    }
}

fn describe(ring: &LogRing, owner: &Owner, now_millis: u64) -> Value {
    let days = ring.days();
    let arn = owner.group_arn();
    json!({
        "logGroupName": GROUP,
        "creationTime": days.first().map_or(now_millis, |day| day.first_millis),
        "retentionInDays": ring.age().as_secs().div_ceil(86_400),
        "metricFilterCount": 0,
        "arn": format!("{arn}:*"),
        "logGroupArn": arn,
        "storedBytes": days.iter().map(|day| day.bytes).sum::<u64>(),
        "logGroupClass": CLASSES[0],
    })
}
