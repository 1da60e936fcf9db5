//! MQTT packets: decoding never panics, and what decodes is written and read back the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mqtt::{Packet, Version};

/// The largest packet taken in; a little more than libFuzzer's inputs.
const LIMIT: usize = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    for version in [Version::V311, Version::V5] {
        let mut rest = bytes;
        while let Ok(Some((packet, length))) = mqtt::decode(rest, version, LIMIT) {
            assert!(0 < length && length <= rest.len());
            check(&packet, version);
            rest = &rest[length..];
        }
        // Any beginning of a packet is either refused or waits for more.
        if let Ok(Some((_, length))) = mqtt::decode(bytes, version, LIMIT) {
            assert!(!matches!(mqtt::decode(&bytes[..length - 1], version, LIMIT), Ok(Some(_))));
            assert!(mqtt::decode(bytes, version, length - 1).is_err());
        }
    }
});

fn check(packet: &Packet<'_>, version: Version) {
    let version = match packet {
        Packet::Connect(connect) => connect.version,
        _ => version,
    };
    let mut written = Vec::new();
    packet.encode(version, &mut written).expect("what was decoded can be written");
    let again = mqtt::decode(&written, version, LIMIT).expect("what was written can be read");
    assert_eq!(again, Some((packet.clone(), written.len())));
}
