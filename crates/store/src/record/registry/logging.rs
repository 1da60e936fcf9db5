//! What was set of the log.

use std::collections::BTreeMap;

use registry::{LogLevel, LogTarget, Logging};
use serde::{Deserialize, Serialize};

use super::TABLE;
use crate::record::RecordError;

#[derive(Serialize, Deserialize)]
pub(super) struct LoggingRecord {
    role_arn: Option<String>,
    default_level: Option<String>,
    disable_all: bool,
    events: BTreeMap<String, String>,
    targets: Vec<TargetRecord>,
}

#[derive(Serialize, Deserialize)]
struct TargetRecord {
    kind: String,
    name: String,
    level: String,
}

impl LoggingRecord {
    pub(super) fn new(logging: &Logging) -> Self {
        let Logging { role_arn, default_level, disable_all, events, targets } = logging;
        let word = |level: &LogLevel| level.as_str().to_owned();
        let target = |(target, level): (&LogTarget, &LogLevel)| TargetRecord {
            kind: target.kind().to_owned(),
            name: target.name(),
            level: word(level),
        };
        LoggingRecord {
            role_arn: role_arn.clone(),
            default_level: default_level.as_ref().map(word),
            disable_all: *disable_all,
            events: events.iter().map(|(event, level)| (event.clone(), word(level))).collect(),
            targets: targets.iter().map(target).collect(),
        }
    }

    pub(super) fn logging(self) -> Result<Logging, RecordError> {
        let events = self.events.into_iter().map(|(event, word)| Ok((event, level(&word)?)));
        let targets = self.targets.into_iter().map(TargetRecord::target);
        Ok(Logging {
            role_arn: self.role_arn,
            default_level: self.default_level.as_deref().map(level).transpose()?,
            disable_all: self.disable_all,
            events: events.collect::<Result<_, RecordError>>()?,
            targets: targets.collect::<Result<_, _>>()?,
        })
    }
}

impl TargetRecord {
    fn target(self) -> Result<(LogTarget, LogLevel), RecordError> {
        let target = LogTarget::parse(&self.kind, &self.name)
            .map_err(|_| RecordError::new(TABLE, "its target of the log is none"))?;
        Ok((target, level(&self.level)?))
    }
}

fn level(word: &str) -> Result<LogLevel, RecordError> {
    LogLevel::of(word).ok_or_else(|| RecordError::new(TABLE, "its level of the log is none"))
}
