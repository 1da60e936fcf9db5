//! The entries of the trail: which messages were sent, and how they ended.

use mqtt::ReasonCode;
use serde::{Deserialize, Serialize};

use super::VERSION;

/// What is taken down of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry<'a> {
    /// It was handed to a connection.
    #[serde(borrow)]
    Sent(Sent<'a>),
    /// It came to its end.
    Ended {
        /// Its trace ID.
        trace_id: [u8; 16],
        /// How.
        end: End,
    },
    /// No byte of it was sent after all: its key is free.
    Released {
        /// Its trace ID.
        trace_id: [u8; 16],
    },
}

/// A message that was handed to a connection. Times are in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent<'a> {
    /// Its trace ID.
    pub trace_id: [u8; 16],
    /// To whom it goes.
    pub client_id: &'a str,
    /// On which topic.
    pub topic: &'a str,
    /// Who sent it.
    pub principal_id: &'a str,
    /// Its idempotency key.
    pub key: &'a str,
    /// What tells it from another message under the same key.
    pub fingerprint: u64,
    /// When it was taken in.
    pub taken_in: u64,
    /// When it was handed over.
    pub handed_over: u64,
    /// The epoch of the connection.
    pub epoch: u64,
}

/// How a message ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// The PUBACK came.
    Acknowledged {
        /// When, in milliseconds since 1970.
        at: u64,
        /// Whether its sender had been told before that none came in time.
        late: bool,
    },
    /// The PUBACK carried an MQTT 5 error.
    Rejected {
        /// Its reason code.
        code: u8,
        /// When, in milliseconds since 1970.
        at: u64,
        /// As above.
        late: bool,
    },
    /// It was handed over and no confirmation asked for.
    Dispatched,
    /// The connection ended before its PUBACK.
    ConnectionClosed {
        /// Because the same client connected anew.
        replaced: bool,
        /// Whether the device's TCP had acknowledged all of it; none where that is not known.
        tcp_acknowledged: Option<bool>,
    },
    /// It failed in another way after it had been sent.
    Failed,
}

impl End {
    /// The reason code of a rejection that is one.
    pub fn reason_code(code: u8) -> Option<ReasonCode> {
        ReasonCode::try_from(code).ok().filter(|code| code.is_error())
    }
}

/// Appends an entry's bytes.
pub fn write(entry: &Entry<'_>, out: &mut Vec<u8>) {
    out.push(VERSION);
    let taken = std::mem::take(out);
    let encoded = postcard::to_extend(entry, taken);
    *out = encoded.expect("plain structs of strings and numbers serialise");
}

/// The entry of these bytes; none that this version knows nothing of.
pub fn read(bytes: &[u8]) -> Option<Entry<'_>> {
    let rest = bytes.strip_prefix(&[VERSION])?;
    match postcard::take_from_bytes(rest) {
        Ok((entry, [])) => Some(entry),
        Ok(_) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entries() -> Vec<Entry<'static>> {
        let sent = Sent {
            trace_id: [7; 16],
            client_id: "lamp",
            topic: "cmd/on",
            principal_id: "AKIA",
            key: "k-1",
            fingerprint: u64::MAX,
            taken_in: 1,
            handed_over: 2,
            epoch: 3,
        };
        let ends = [
            End::Acknowledged { at: 4, late: true },
            End::Rejected { code: 0x97, at: 5, late: false },
            End::Dispatched,
            End::ConnectionClosed { replaced: true, tcp_acknowledged: Some(false) },
            End::Failed,
        ];
        let ended = ends.map(|end| Entry::Ended { trace_id: [8; 16], end });
        [Entry::Sent(sent), Entry::Released { trace_id: [9; 16] }]
            .into_iter()
            .chain(ended)
            .collect()
    }

    #[test]
    fn what_is_written_is_read() {
        for entry in entries() {
            let mut bytes = Vec::new();
            write(&entry, &mut bytes);
            assert_eq!(read(&bytes), Some(entry));
            for length in 0..bytes.len() {
                assert_eq!(read(&bytes[..length]), None);
            }
        }
    }

    #[test]
    fn only_an_error_is_the_code_of_a_rejection() {
        assert_eq!(End::reason_code(0x97), Some(ReasonCode::QuotaExceeded));
        assert_eq!(End::reason_code(0x00), None);
        assert_eq!(End::reason_code(0xFF), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }
    }
}
