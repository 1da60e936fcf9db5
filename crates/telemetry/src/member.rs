//! How members that several events share are written.
//!
//! The functions are for `#[serde(serialize_with)]`; those that write more than one member go with
//! `#[serde(flatten)]`.

use std::fmt::{self, Display};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use mqtt::{ReasonCode, Version};
use serde::{Serialize, Serializer};

use crate::verdict::Verdict;

/// Most bytes of a text from outside in one member. Every valid client ID and topic of the `aws`
/// profile fits; what is longer is cut and ends in `…`, so that nobody fills the disk with the
/// names of what was refused.
const TEXT_BYTES: usize = 2_048;

/// Most filters of one SUBSCRIBE or UNSUBSCRIBE that are listed.
const FILTERS: usize = 64;

/// Text from outside.
pub(crate) fn text<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    if text.len() <= TEXT_BYTES {
        return serializer.serialize_str(text);
    }
    serializer.collect_str(&format_args!("{}…", head(text, TEXT_BYTES)))
}

/// Text from outside that may be missing.
pub(crate) fn text_option<S: Serializer>(
    value: &Option<&str>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => text(value, serializer),
        None => serializer.serialize_none(),
    }
}

/// The longest beginning of `text` that has at most `bytes` bytes and ends between characters.
fn head(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// `sourceIp` and `sourcePort`.
pub(crate) fn source<S: Serializer>(
    address: &SocketAddr,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Source {
        source_ip: IpAddr,
        source_port: u16,
    }
    Source { source_ip: address.ip().to_canonical(), source_port: address.port() }
        .serialize(serializer)
}

/// `targetIp` and `targetPort`.
pub(crate) fn target<S: Serializer>(
    address: &SocketAddr,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Target {
        target_ip: IpAddr,
        target_port: u16,
    }
    Target { target_ip: address.ip().to_canonical(), target_port: address.port() }
        .serialize(serializer)
}

/// Milliseconds with a fraction, exact to the microsecond.
pub(crate) fn millis<S: Serializer>(
    duration: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => serializer.serialize_f64(duration.as_micros() as f64 / 1_000.0),
        None => serializer.serialize_none(),
    }
}

/// AWS's form of a flag that is only written when set.
pub(crate) fn true_text<S: Serializer>(_: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str("True")
}

/// Whether a flag is not set.
pub(crate) fn is_unset(flag: &bool) -> bool {
    !flag
}

/// The version as people write it.
pub(crate) fn version<S: Serializer>(version: &Version, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match version {
        Version::V311 => "3.1.1",
        Version::V5 => "5.0",
    })
}

/// Why something failed; nothing is written for what is `None`.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ending<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "text_option")]
    pub(crate) details: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mqtt_reason_code: Option<u8>,
}

/// `reason`, `details` and `mqttReasonCode` of a failure; nothing for a success.
pub(crate) fn verdict<S: Serializer>(
    verdict: &Verdict<'_>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let ending = match *verdict {
        Verdict::Success => Ending::default(),
        Verdict::Failure { class, code, details } => Ending {
            reason: Some(class.reason()),
            details: Some(details),
            mqtt_reason_code: code.map(|code| code as u8),
        },
    };
    ending.serialize(serializer)
}

/// `topicName` of several filters: joined by commas (spec 8.2).
pub(crate) fn joined<S: Serializer>(filters: &[&str], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&Joined(filters.iter().copied()))
}

/// As [`joined`], of filters with their reason codes.
pub(crate) fn joined_answered<S: Serializer>(
    filters: &[(&str, ReasonCode)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&Joined(filters.iter().map(|(filter, _)| *filter)))
}

/// `subscriptions`: the filters with their reason codes.
pub(crate) fn answered<S: Serializer>(
    filters: &[(&str, ReasonCode)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Subscription<'a> {
        #[serde(serialize_with = "text")]
        topic_name: &'a str,
        reason_code: u8,
    }
    serializer.collect_seq(
        filters
            .iter()
            .take(FILTERS)
            .map(|(filter, code)| Subscription { topic_name: filter, reason_code: *code as u8 }),
    )
}

/// Texts joined by commas, together no longer than [`TEXT_BYTES`] (and the sign that it was cut).
struct Joined<I>(I);

impl<'a, I: Iterator<Item = &'a str> + Clone> Display for Joined<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut room = TEXT_BYTES;
        for (at, text) in self.0.clone().enumerate() {
            let comma = usize::from(at > 0);
            if text.len() + comma > room {
                return f.write_str("…");
            }
            f.write_str(if at > 0 { "," } else { "" })?;
            f.write_str(text)?;
            room -= text.len() + comma;
        }
        Ok(())
    }
}
