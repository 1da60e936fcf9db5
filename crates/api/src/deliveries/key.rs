//! Idempotency keys.

use std::hash::BuildHasher;

use engine::limits::IDEMPOTENCY_KEY_BYTES;
use foldhash::fast::RandomState;
use identity::sigv4::Headers;
use xxhash_rust::xxh3::Xxh3;

use crate::head::Head;

/// Ours.
const HEADER: &str = "x-tenfour-idempotency-key";
/// What botocore and the other SDKs of AWS keep the same over the retries of one call.
const SDK_HEADER: &str = "amz-sdk-invocation-id";

/// A key. It is one principal's: two principals never mean the same message.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    text: Box<str>,
    /// Of the principal's ID and the text, so that a key is found and forgotten without a look at
    /// more of it.
    pub(super) hash: u64,
}

/// What keys are hashed with.
#[derive(Default)]
pub(super) struct KeyHasher(RandomState);

impl KeyHasher {
    pub(super) fn key(&self, principal_id: &str, text: &str) -> Key {
        Key { text: text.into(), hash: self.0.hash_one((principal_id, text)) }
    }
}

impl Key {
    /// What its sender calls it.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The text of the key that a request has, if it has one; ours before the SDK's. An SDK's that
    /// cannot be one is none: to AWS it means nothing.
    ///
    /// # Errors
    /// A sentence that says what is wrong with ours.
    pub(crate) fn text_of<'a>(head: &'a Head<'_>) -> Result<Option<&'a str>, String> {
        match text_in(head, HEADER) {
            Ok(None) => Ok(text_in(head, SDK_HEADER).unwrap_or(None)),
            ours => ours,
        }
    }
}

fn text_in<'a>(head: &'a Head<'_>, name: &'static str) -> Result<Option<&'a str>, String> {
    let mut values = head.headers.all(name);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(format!("The header {name} is given twice."));
    }
    let text = std::str::from_utf8(value).unwrap_or("");
    let fits = (1..=IDEMPOTENCY_KEY_BYTES).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    match fits {
        true => Ok(Some(text)),
        false => Err(format!(
            "The header {name} must have 1 to {IDEMPOTENCY_KEY_BYTES} visible ASCII characters."
        )),
    }
}

/// What two requests have in common if they are the same message. `wanted` is whether a confirmation
/// and a response are waited for; how long each waits is its own.
pub(crate) fn fingerprint(
    client_id: &str,
    topic: &str,
    wanted: [bool; 2],
    properties: &[u8],
    payload: &[u8],
) -> u64 {
    // Part of the format of what is kept.
    let mut hasher = Xxh3::new();
    let wanted = wanted.map(u8::from);
    for part in [client_id.as_bytes(), topic.as_bytes(), properties, payload, &wanted] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.digest()
}
