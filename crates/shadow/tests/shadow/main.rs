//! What a shadow says to requests.

mod faults;
mod properties;
mod sequence;

use serde_json::Value;
use shadow::{Answer, Kind, Operation, Request, ShadowId};

pub(crate) use sequence::Sequence;

/// A time in milliseconds since 1970.
pub(crate) const NOW: u64 = 1_700_000_000_123;

pub(crate) fn id() -> ShadowId {
    ShadowId::new("lamp", None).expect("valid")
}

pub(crate) fn update(text: &str) -> Request {
    Request::parse(Operation::Update, text.as_bytes()).expect(text)
}

/// The payload of that kind.
pub(crate) fn payload(answers: &[Answer], kind: Kind) -> Option<Value> {
    let found = answers.iter().find(|answer| answer.kind == kind)?;
    Some(serde_json::from_str(&found.payload).expect("JSON"))
}
