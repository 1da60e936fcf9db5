//! What is written to the log (spec 8.1).

use std::collections::{BTreeMap, HashMap};

use policy::{Action, Resource};
use registry::{Change, LogLevel, LogTarget, Logging, LoggingUpdate, Registry};
use serde_json::{Value, json};
use telemetry::{Level, Telemetry, Thresholds, event};

use super::input::{Body, flag, parameter};
use super::policies::without_answer;
use super::refused::Refused;
use super::registrar::Registrar;
use super::request::Request;
use super::{Outcome, list};
use crate::logs::GROUP;

/// The target that stands for all that nothing else is said of.
const DEFAULT: &str = "DEFAULT";

/// The service model's types of targets; of thing groups there are none.
const TARGET_TYPES: [&str; 5] = [DEFAULT, "THING_GROUP", "CLIENT_ID", "SOURCE_IP", "PRINCIPAL_ID"];

/// `POST /v2LoggingOptions`
pub(super) fn set_options(request: &mut Request<'_>) -> Outcome {
    let body = Body::parse(request.payload)?;
    let update = LoggingUpdate {
        role_arn: body.text("roleArn")?.map(str::to_owned),
        default_level: body.text("defaultLogLevel")?.map(level).transpose()?,
        disable_all: body.optional_boolean("disableAllLogs")?,
        events: body.objects("eventConfigurations")?.map(events).transpose()?,
    };
    request.authorize(Action::SetV2LoggingOptions, Resource::Any)?;
    change(request, |registry| registry.set_logging(update))
}

/// `GET /v2LoggingOptions`
pub(super) fn get_options(request: &mut Request<'_>) -> Outcome {
    let verbose = flag(&request.query(), "verbose")?;
    request.authorize(Action::GetV2LoggingOptions, Resource::Any)?;
    let started_with = request.started_with();
    request.look(|registry| {
        let logging = registry.logging()?;
        let default = logging.default_level.unwrap_or(started_with);
        let of_event = |event: &str| logging.events.get(event).copied();
        let told: Vec<Value> = event::TYPES
            .iter()
            .filter_map(|event| {
                let level = of_event(event).or(verbose.then_some(default))?;
                Some(json!({ "eventType": event, "logLevel": level.as_str() }))
            })
            .collect();
        let mut document = json!({
            "defaultLogLevel": default.as_str(),
            "disableAllLogs": logging.disable_all,
            "eventConfigurations": told,
        });
        if let Some(role) = &logging.role_arn {
            document["roleArn"] = role.as_str().into();
        }
        Ok(document)
    })
}

/// `POST /v2LoggingLevel`
pub(super) fn set_level(request: &mut Request<'_>) -> Outcome {
    let body = Body::parse(request.payload)?;
    let level = level(body.require("logLevel")?)?;
    let of = body.object("logTarget")?.unwrap_or_default();
    let (kind, name) = (of.require("targetType")?, of.text("targetName")?);
    let target = target(kind, name)?;
    request.authorize(Action::SetV2LoggingLevel, Resource::Any)?;
    change(request, |registry| match target {
        Some(target) => registry.set_log_level(target, level),
        None => {
            registry.logging()?;
            let default_level = Some(level);
            registry.set_logging(LoggingUpdate { default_level, ..LoggingUpdate::default() })
        }
    })
}

/// `GET /v2LoggingLevel`: the default first.
pub(super) fn list_levels(request: &mut Request<'_>) -> Outcome {
    let query = request.query();
    let page = list::page(&query, list::NEXT_TOKEN)?;
    let wanted = parameter(&query, "targetType")?;
    if let Some(wanted) = wanted.as_deref().filter(|wanted| !TARGET_TYPES.contains(wanted)) {
        let all = TARGET_TYPES.join(", ");
        return Err(Refused::Input(format!("A targetType is one of {all}, not \"{wanted}\".")));
    }
    request.authorize(Action::ListV2LoggingLevels, Resource::Any)?;
    let started_with = request.started_with();
    request.look(|registry| {
        let mut levels = levels(registry.logging()?, started_with);
        if let Some(wanted) = wanted {
            levels.retain(|_, entry| entry["logTarget"]["targetType"] == *wanted);
        }
        let (found, next) = list::by_name(levels.keys().map(String::as_str), &page);
        let entries: Vec<Value> = found.iter().filter_map(|key| levels.remove(key)).collect();
        let mut told = json!({ "logTargetConfigurations": entries });
        list::put_next(&mut told, list::NEXT_TOKEN, next.as_ref());
        Ok(told)
    })
}

/// `DELETE /v2LoggingLevel`
pub(super) fn delete_level(request: &mut Request<'_>) -> Outcome {
    let query = request.query();
    let given = |name: &str| {
        let missing = || Refused::Input(format!("The query parameter {name} is missing."));
        parameter(&query, name)?.ok_or_else(missing)
    };
    let (kind, name) = (given("targetType")?, given("targetName")?);
    let target = target(&kind, Some(&name))?.ok_or_else(|| {
        let message = "The level of DEFAULT cannot be deleted; set another one.";
        Refused::Input(message.to_owned())
    })?;
    request.authorize(Action::DeleteV2LoggingLevel, Resource::Any)?;
    change(request, |registry| Ok(registry.delete_log_level(&target)))
}

/// Makes a change, and writes the log by it from now on.
fn change(
    request: &Request<'_>,
    decide: impl FnOnce(&Registry) -> Result<Change, registry::Refused>,
) -> Outcome {
    let done = request.change(|registry, _| without_answer(decide(registry)))?;
    request.registrar.set_thresholds(request.ledger.node().telemetry());
    Ok(done)
}

impl Request<'_> {
    /// The level that the configuration has.
    fn started_with(&self) -> LogLevel {
        match self.ledger.node().telemetry().level_started_with() {
            Level::Debug => LogLevel::Debug,
            Level::Info => LogLevel::Info,
            Level::Warn => LogLevel::Warn,
            Level::Error => LogLevel::Error,
            Level::Disabled => LogLevel::Disabled,
        }
    }
}

impl Registrar {
    /// From now on the log is written as it was set through the API.
    pub fn set_thresholds(&self, telemetry: &Telemetry) {
        // Under the lock of what is registered: of two changes the later one counts.
        self.look(|registry| {
            telemetry.set_thresholds(registry.logging().map(thresholds).unwrap_or_default());
        });
    }
}

/// The level of the log that a level of the registry is.
pub fn log_level(level: LogLevel) -> Level {
    match level {
        LogLevel::Debug => Level::Debug,
        LogLevel::Info => Level::Info,
        LogLevel::Warn => Level::Warn,
        LogLevel::Error => Level::Error,
        LogLevel::Disabled => Level::Disabled,
    }
}

fn thresholds(logging: &Logging) -> Thresholds {
    if logging.disable_all {
        return Thresholds { default: Some(Level::Disabled), ..Thresholds::default() };
    }
    let event_types = logging.events.iter();
    let mut thresholds = Thresholds {
        default: logging.default_level.map(log_level),
        event_types: event_types.map(|(event, level)| (event.clone(), log_level(*level))).collect(),
        principal_ids: HashMap::new(),
        source_ips: HashMap::new(),
        client_ids: HashMap::new(),
    };
    for (target, level) in &logging.targets {
        let level = log_level(*level);
        match target {
            LogTarget::ClientId(id) => thresholds.client_ids.insert(id.clone(), level),
            LogTarget::PrincipalId(id) => thresholds.principal_ids.insert(id.clone(), level),
            LogTarget::SourceIp(address) => thresholds.source_ips.insert(*address, level),
        };
    }
    thresholds
}

/// The entries of the list by what orders them.
fn levels(logging: &Logging, started_with: LogLevel) -> BTreeMap<String, Value> {
    let default = logging.default_level.unwrap_or(started_with);
    let default = json!({ "logTarget": { "targetType": DEFAULT }, "logLevel": default.as_str() });
    let entry = |(target, level): (&LogTarget, &LogLevel)| {
        let (kind, name) = (target.kind(), target.name());
        let key = format!("{kind}/{name}");
        let of = json!({ "targetType": kind, "targetName": name });
        (key, json!({ "logTarget": of, "logLevel": level.as_str() }))
    };
    let first = (String::new(), default);
    std::iter::once(first).chain(logging.targets.iter().map(entry)).collect()
}

/// None for the default.
fn target(kind: &str, name: Option<&str>) -> Result<Option<LogTarget>, Refused> {
    match (kind, name) {
        (DEFAULT, _) => Ok(None),
        (_, Some(name)) => Ok(Some(LogTarget::parse(kind, name)?)),
        // What is wrong may be the type.
        (_, None) => Ok(Some(LogTarget::parse(kind, "")?)),
    }
}

fn level(word: &str) -> Result<LogLevel, Refused> {
    LogLevel::of(word).ok_or_else(|| {
        let all = LogLevel::ALL.map(LogLevel::as_str).join(", ");
        Refused::Input(format!("A level of the log is one of {all}, not \"{word}\"."))
    })
}

fn events(configurations: Vec<Body>) -> Result<BTreeMap<String, LogLevel>, Refused> {
    let read = |body: Body| {
        let event = body.require("eventType")?;
        if !event::TYPES.contains(&event) {
            let all = event::TYPES.join(", ");
            return Err(Refused::Input(format!(
                "The log here has no entries of the eventType \"{event}\"; it has {all}."
            )));
        }
        if let Some(other) = body.text("logDestination")?.filter(|group| *group != GROUP) {
            return Err(Refused::Input(format!(
                "The logDestination {other} is not offered; all entries are in {GROUP}."
            )));
        }
        Ok((event.to_owned(), level(body.require("logLevel")?)?))
    };
    configurations.into_iter().map(read).collect()
}
