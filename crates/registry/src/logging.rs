//! What is written to the log, as it was set through the API.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::change::{Change, Record};
use crate::refused::Refused;
use crate::state::Registry;

/// How many targets may have a level of their own.
pub const LOG_TARGETS: usize = 1_000;

/// Characters of a target's name.
const NAME_CHARACTERS: usize = 128;

/// Characters of the name of a role.
const ROLE_CHARACTERS: usize = 2_048;

/// The importance from which on entries are written (spec 8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// All of them.
    Debug,
    /// Successes, warnings and errors.
    Info,
    /// Warnings and errors.
    Warn,
    /// Errors.
    Error,
    /// None.
    Disabled,
}

impl LogLevel {
    /// All levels, the most talkative first.
    pub const ALL: [LogLevel; 5] =
        [LogLevel::Debug, LogLevel::Info, LogLevel::Warn, LogLevel::Error, LogLevel::Disabled];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            LogLevel::Debug => "DEBUG",
            LogLevel::Info => "INFO",
            LogLevel::Warn => "WARN",
            LogLevel::Error => "ERROR",
            LogLevel::Disabled => "DISABLED",
        }
    }

    /// The level of that name.
    pub fn of(name: &str) -> Option<LogLevel> {
        LogLevel::ALL.into_iter().find(|level| level.as_str() == name)
    }
}

/// What has a level of its own, beside the types of events.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogTarget {
    /// A client, by its MQTT client ID.
    ClientId(String),
    /// A principal, by its ID.
    PrincipalId(String),
    /// An address; one of IPv4 never in the form of IPv6.
    SourceIp(IpAddr),
}

impl LogTarget {
    /// The target of that type and name.
    ///
    /// # Errors
    /// [`Refused::Invalid`] for a type that is not offered, or a name that can be none.
    pub fn parse(kind: &str, name: &str) -> Result<LogTarget, Refused> {
        let named = || match name.chars().count() {
            1..=NAME_CHARACTERS => Ok(name.to_owned()),
            _ => Err(Refused::Invalid(format!(
                "The targetName of a {kind} has 1 to {NAME_CHARACTERS} characters."
            ))),
        };
        match kind {
            "CLIENT_ID" => Ok(LogTarget::ClientId(named()?)),
            "PRINCIPAL_ID" => Ok(LogTarget::PrincipalId(named()?)),
            "SOURCE_IP" => match name.parse::<IpAddr>() {
                Ok(address) => Ok(LogTarget::SourceIp(address.to_canonical())),
                Err(_) => Err(Refused::Invalid(format!(
                    "The targetName of a SOURCE_IP must be an IP address, not \"{name}\"."
                ))),
            },
            "THING_GROUP" => Err(Refused::Invalid(
                "The targetType THING_GROUP is not offered, as there are no thing groups; there are \
                 CLIENT_ID, SOURCE_IP and PRINCIPAL_ID."
                    .to_owned(),
            )),
            _ => Err(Refused::Invalid(format!(
                "The targetType must be DEFAULT, CLIENT_ID, SOURCE_IP or PRINCIPAL_ID, not \"{kind}\"."
            ))),
        }
    }

    /// Its type, as the service model calls it.
    pub fn kind(&self) -> &'static str {
        match self {
            LogTarget::ClientId(_) => "CLIENT_ID",
            LogTarget::PrincipalId(_) => "PRINCIPAL_ID",
            LogTarget::SourceIp(_) => "SOURCE_IP",
        }
    }

    /// Its name.
    pub fn name(&self) -> String {
        match self {
            LogTarget::ClientId(name) | LogTarget::PrincipalId(name) => name.clone(),
            LogTarget::SourceIp(address) => address.to_string(),
        }
    }
}

/// What was set of the log. What was not set is as the configuration has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logging {
    /// The role that AWS would write the log with; kept, as nothing here needs one.
    pub role_arn: Option<String>,
    /// For all that nothing else is said of.
    pub default_level: Option<LogLevel>,
    /// Nothing is written, whatever else is said.
    pub disable_all: bool,
    /// By type of event.
    pub events: BTreeMap<String, LogLevel>,
    /// By what else an entry is about.
    pub targets: BTreeMap<LogTarget, LogLevel>,
}

/// What SetV2LoggingOptions is to change; the rest stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoggingUpdate {
    /// The new role.
    pub role_arn: Option<String>,
    /// The new level.
    pub default_level: Option<LogLevel>,
    /// Whether nothing is written.
    pub disable_all: Option<bool>,
    /// The new levels of types of events, in the place of those there are.
    pub events: Option<BTreeMap<String, LogLevel>>,
}

impl Registry {
    /// What was set of the log.
    ///
    /// # Errors
    /// [`Refused::NotConfigured`] if nothing ever was.
    pub fn logging(&self) -> Result<&Logging, Refused> {
        self.logging.as_ref().ok_or(Refused::NotConfigured)
    }

    /// SetV2LoggingOptions.
    ///
    /// # Errors
    /// [`Refused::Invalid`].
    pub fn set_logging(&self, update: LoggingUpdate) -> Result<Change, Refused> {
        let LoggingUpdate { role_arn, default_level, disable_all, events } = update;
        if let Some(role) = &role_arn
            && !(role.starts_with("arn:") && role.chars().count() <= ROLE_CHARACTERS)
        {
            return Err(Refused::Invalid(format!(
                "The roleArn must be an ARN of at most {ROLE_CHARACTERS} characters."
            )));
        }
        let mut logging = self.logging.clone().unwrap_or_default();
        logging.role_arn = role_arn.or(logging.role_arn);
        logging.default_level = default_level.or(logging.default_level);
        logging.disable_all = disable_all.unwrap_or(logging.disable_all);
        logging.events = events.unwrap_or(logging.events);
        Ok(self.with_logging(logging))
    }

    /// SetV2LoggingLevel of a target.
    ///
    /// # Errors
    /// [`Refused::NotConfigured`] before SetV2LoggingOptions, [`Refused::Limit`].
    pub fn set_log_level(&self, target: LogTarget, level: LogLevel) -> Result<Change, Refused> {
        let mut logging = self.logging()?.clone();
        if logging.targets.len() >= LOG_TARGETS && !logging.targets.contains_key(&target) {
            return Err(Refused::Limit(format!(
                "{LOG_TARGETS} targets have a level of their own, which is as many as may; delete \
                 one first."
            )));
        }
        logging.targets.insert(target, level);
        Ok(self.with_logging(logging))
    }

    /// DeleteV2LoggingLevel of a target. One that has no level of its own is as it is to be.
    pub fn delete_log_level(&self, target: &LogTarget) -> Change {
        let mut logging = self.logging.clone().unwrap_or_default();
        match logging.targets.remove(target) {
            Some(_) => self.with_logging(logging),
            None => Change::nothing(),
        }
    }

    fn with_logging(&self, logging: Logging) -> Change {
        match &self.logging {
            Some(present) if *present == logging => Change::nothing(),
            Some(_) | None => Change::put(Record::Logging(logging)),
        }
    }
}
