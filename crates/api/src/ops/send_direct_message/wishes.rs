//! The headers of ours with which a sender says more than AWS's parameters can.

use std::ops::RangeInclusive;
use std::time::Duration;

use engine::limits::{
    DEADLINE_MILLIS, RESPONSE_TIMEOUT_MILLIS, RESPONSE_TIMEOUT_MILLIS_DEFAULT, WAIT_ONLINE_MILLIS,
};
use identity::sigv4::Headers;

use crate::head::Head;

const DEADLINE: &str = "x-tenfour-deadline-ms";
const WAIT_ONLINE: &str = "x-tenfour-wait-online-ms";
const WAIT: &str = "x-tenfour-wait";
const RESPONSE_TIMEOUT: &str = "x-tenfour-response-timeout-ms";
const DRY_RUN: &str = "x-tenfour-dry-run";

/// What the sender wants beyond AWS's parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wishes {
    /// By when a byte of the message has to be on the wire.
    pub(super) deadline: Option<Duration>,
    /// How long to wait for the device to connect.
    pub(super) wait_online: Option<Duration>,
    /// How long to wait, after the PUBACK, for what the device publishes in answer.
    pub(super) response: Option<Duration>,
}

impl Wishes {
    /// Reads the headers.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub(super) fn parse(head: &Head<'_>) -> Result<Wishes, String> {
        Ok(Wishes {
            deadline: millis(head, DEADLINE, DEADLINE_MILLIS)?,
            wait_online: millis(head, WAIT_ONLINE, WAIT_ONLINE_MILLIS)?,
            response: response(head)?,
        })
    }
}

fn response(head: &Head<'_>) -> Result<Option<Duration>, String> {
    let within = millis(head, RESPONSE_TIMEOUT, RESPONSE_TIMEOUT_MILLIS)?;
    let mut values = head.headers.all(WAIT);
    match (values.next(), values.next()) {
        (None, _) if within.is_some() => {
            Err(format!("The header {RESPONSE_TIMEOUT} is only of use with {WAIT}: response."))
        }
        (None, _) => Ok(None),
        (Some(value), None) if value.eq_ignore_ascii_case(b"response") => {
            Ok(Some(within.unwrap_or(Duration::from_millis(RESPONSE_TIMEOUT_MILLIS_DEFAULT))))
        }
        (Some(_), _) => {
            Err(format!("The header {WAIT} must be given once, and with the value response."))
        }
    }
}

/// Whether nothing is to be sent, and only told what would become of it.
///
/// # Errors
/// A sentence that says what is wrong.
pub(super) fn is_dry_run(head: &Head<'_>) -> Result<bool, String> {
    let mut values = head.headers.all(DRY_RUN);
    let Some(value) = values.next() else { return Ok(false) };
    match (value, values.next()) {
        (value, None) if value.eq_ignore_ascii_case(b"true") => Ok(true),
        (value, None) if value.eq_ignore_ascii_case(b"false") => Ok(false),
        _ => Err(format!("The header {DRY_RUN} must be given once, as true or false.")),
    }
}

fn millis(
    head: &Head<'_>,
    name: &str,
    range: RangeInclusive<u64>,
) -> Result<Option<Duration>, String> {
    let mut values = head.headers.all(name);
    let Some(value) = values.next() else { return Ok(None) };
    let text = std::str::from_utf8(value).unwrap_or("");
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if digits { text.parse().ok() } else { None };
    match number.filter(|number| range.contains(number) && values.next().is_none()) {
        Some(number) => Ok(Some(Duration::from_millis(number))),
        None => Err(format!(
            "The header {name} must be given once, as a whole number of milliseconds from {} to {}.",
            range.start(),
            range.end()
        )),
    }
}
