//! The body of a message to many clients, and the patterns in it.

#![no_main]

use libfuzzer_sys::fuzz_target;

// The body; after a line feed, if there is one, the client IDs that its patterns are held against.
fuzz_target!(|bytes: &[u8]| {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (body, rest) = bytes.split_at(end);
    let names = std::str::from_utf8(rest).unwrap_or_default();
    api::parse_send_direct_messages(body, names.lines());
});
