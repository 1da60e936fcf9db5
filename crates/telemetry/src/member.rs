//! Members that several events share.

use std::net::SocketAddr;

use mqtt::ReasonCode;

use crate::line::{Key, Line, TEXT_BYTES, key};
use crate::verdict::Verdict;

/// Most filters of one SUBSCRIBE or UNSUBSCRIBE that are listed.
const FILTERS: usize = 64;

/// Whom an event is about: `clientId`, `principalId`, `sourceIp` and `sourcePort`.
#[derive(Clone, Copy, Debug)]
pub struct Party<'a> {
    /// The client ID. Of a direct message it is the receiver's, valid or not.
    pub client_id: &'a str,
    /// Who the device or the sender proved to be.
    pub principal_id: &'a str,
    /// Where it connects from.
    pub source: SocketAddr,
}

/// Why something failed; nothing is written for what is `None`.
#[derive(Default)]
pub(crate) struct Ending<'a> {
    pub(crate) reason: Option<&'static str>,
    pub(crate) details: Option<&'a str>,
    pub(crate) mqtt_reason_code: Option<u8>,
}

/// Of an object whose first member it is.
const FIRST_TOPIC_NAME: Key =
    Key { before_value: "{\"topicName\":", before_text: "{\"topicName\":\"" };

impl Line {
    pub(crate) fn party(&mut self, party: &Party<'_>) {
        self.text(key!("clientId"), party.client_id);
        self.text(key!("principalId"), party.principal_id);
        self.source(party.source);
    }

    #[inline(always)]
    pub(crate) fn source(&mut self, address: SocketAddr) {
        self.ip(key!("sourceIp"), address.ip());
        self.number(key!("sourcePort"), address.port().into());
    }

    /// `reason`, `details` and `mqttReasonCode`.
    pub(crate) fn ending(&mut self, ending: &Ending<'_>) {
        if let Some(reason) = ending.reason {
            self.word(key!("reason"), reason);
        }
        self.text_option(key!("details"), ending.details);
        self.number_option(key!("mqttReasonCode"), ending.mqtt_reason_code.map(u64::from));
    }

    /// `reason`, `details` and `mqttReasonCode` of a failure; nothing for a success.
    #[inline]
    pub(crate) fn verdict(&mut self, verdict: &Verdict<'_>) {
        match *verdict {
            Verdict::Success => {}
            Verdict::Failure { class, code, details } => self.ending(&Ending {
                reason: Some(class.reason()),
                details: Some(details),
                mqtt_reason_code: code.map(|code| code as u8),
            }),
        }
    }

    /// `topicName` of several filters: joined by commas (spec 8.2), together no longer than
    /// [`TEXT_BYTES`] (and the sign that it was cut).
    pub(crate) fn joined<'f>(&mut self, filters: impl Iterator<Item = &'f str>) {
        self.raw([key!("topicName").before_text.as_bytes()]);
        let mut room = TEXT_BYTES;
        for (at, filter) in filters.enumerate() {
            let comma = if at > 0 { "," } else { "" };
            if filter.len() + comma.len() > room {
                self.raw(["…".as_bytes()]);
                break;
            }
            self.inside(comma);
            self.inside(filter);
            room -= filter.len() + comma.len();
        }
        self.raw([b"\""]);
    }

    /// `subscriptions`: the filters with their reason codes; nothing if there are none.
    pub(crate) fn subscriptions(&mut self, filters: &[(&str, ReasonCode)]) {
        if filters.is_empty() {
            return;
        }
        self.raw([key!("subscriptions").before_value.as_bytes()]);
        for (at, (filter, code)) in filters.iter().take(FILTERS).enumerate() {
            self.raw([if at > 0 { b"," } else { b"[" }]);
            self.text(FIRST_TOPIC_NAME, filter);
            self.number(key!("reasonCode"), u64::from(*code as u8));
            self.raw([b"}"]);
        }
        self.raw([b"]"]);
    }
}
