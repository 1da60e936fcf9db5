//! The bodies of calls that read the log, and their filter patterns.

#![no_main]

use libfuzzer_sys::fuzz_target;

// Lines: the pattern, the entry that it is held against, and the body, which is the rest.
fuzz_target!(|bytes: &[u8]| {
    let mut lines = bytes.splitn(3, |byte| *byte == b'\n');
    let mut text = || String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let (pattern, entry, body) = (text(), text(), text());
    api::parse_logs_call(body.as_bytes(), &pattern, &entry);
});
