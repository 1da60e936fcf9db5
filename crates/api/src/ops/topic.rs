//! The topics that requests name.

use std::borrow::Cow;

use engine::profile::{AWS, Profile};
use engine::session::check_topic;
use mqtt::TopicName;

use crate::percent;
use crate::refused::Refused;

/// The text of a path label.
///
/// # Errors
/// [`Refused::Topic`].
pub(crate) fn decode(label: &str) -> Result<Cow<'_, str>, Refused> {
    percent::decode(label).map_err(|what| Refused::Topic(format!("The topic in the path {what}.")))
}

/// A topic that may be published on under the profile; Basic Ingest among them.
///
/// # Errors
/// [`Refused::Topic`].
pub(crate) fn published<'a>(text: &'a str, profile: &Profile) -> Result<TopicName<'a>, Refused> {
    let checked = name(text).and_then(|topic| {
        check_topic(topic, profile).map(|()| topic).map_err(|refused| refused.to_string())
    });
    checked.map_err(|what| Refused::Topic(format!("The topic {what}.")))
}

/// The rules of a topic that a direct message may name, and of every response topic: those of AWS
/// whatever the profile, without Basic Ingest.
///
/// # Errors
/// What is wrong, to follow the name of the parameter.
pub(crate) fn addressed(text: &str) -> Result<(), String> {
    if text.starts_with('$') {
        return Err("starts with $, which is reserved".into());
    }
    check_topic(name(text)?, &AWS).map_err(|refused| refused.to_string())
}

fn name(text: &str) -> Result<TopicName<'_>, String> {
    if text.contains(['+', '#']) {
        return Err("contains a wildcard (+ or #); name one topic, and write a space as %20".into());
    }
    TopicName::parse(text).map_err(|error| format!("is not a topic name: {error}"))
}
