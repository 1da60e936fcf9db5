//! Bytes that the standard forbids, each with the error it must give.
#![allow(clippy::unwrap_used, reason = "a failed test should panic")]

use mqtt::DecodeErrorKind::{self as Kind, *};
use mqtt::Version::{self, V5, V311};
use mqtt::{ReasonCode, decode};

/// Fixed header and body.
fn wire(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first, u8::try_from(body.len()).unwrap()];
    assert!(body.len() < 0x80);
    bytes.extend_from_slice(body);
    bytes
}

fn refused(name: &str, version: Version, bytes: &[u8], kind: Kind) {
    match decode(bytes, version, 1000) {
        Err(error) => assert_eq!(error.kind, kind, "{name} ({version:?}): {error}"),
        Ok(other) => panic!("{name} ({version:?}) was not refused: {other:?}"),
    }
}

/// Cases for one version: name, first byte, body, error.
fn all_refused(version: Version, cases: &[(&str, u8, &[u8], Kind)]) {
    for (name, first, body, kind) in cases {
        refused(name, version, &wire(*first, body), *kind);
    }
}

fn both_refuse(cases: &[(&str, u8, &[u8], Kind)]) {
    all_refused(V311, cases);
    all_refused(V5, cases);
}

/// [MQTT-2.1.3-1], [MQTT3-2.2.2-1], [MQTT3-2.2.2-2]; each packet has its own: PUBREL [MQTT-3.6.1-1],
/// [MQTT3-3.6.1-1], SUBSCRIBE [MQTT-3.8.1-1], [MQTT3-3.8.1-1], UNSUBSCRIBE [MQTT-3.10.1-1],
/// [MQTT3-3.10.1-1], DISCONNECT [MQTT-3.14.1-1], [MQTT3-3.14.1-1], AUTH [MQTT-3.15.1-1].
#[test]
fn reserved_types_and_flags() {
    for version in [V311, V5] {
        refused("type 0", version, &[0x00], Malformed);
        for packet_type in (1..=15).filter(|&packet_type| packet_type != 3) {
            let right = if matches!(packet_type, 6 | 8 | 10) { 0b0010 } else { 0 };
            for flags in (0..16).filter(|&flags| flags != right) {
                // The first byte is enough to know.
                refused("reserved flags", version, &[packet_type << 4 | flags], Malformed);
            }
        }
    }
    refused("AUTH in MQTT 3.1.1", V311, &[0xF0], Malformed);
}

/// [MQTT-1.5.5-1], and the maximum of the caller.
#[test]
fn remaining_lengths() {
    for version in [V311, V5] {
        refused("two bytes for 0", version, &[0xC0, 0x80, 0x00], Malformed);
        refused("two bytes for 2", version, &[0x40, 0x82, 0x00, 0, 1], Malformed);
        refused("five bytes", version, &[0x30, 0x80, 0x80, 0x80, 0x80], Malformed);
        refused("four bytes that go on", version, &[0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], Malformed);
        refused("above the maximum", version, &[0x30, 0xE7, 0x07], TooLarge);
        refused("the largest", version, &[0x30, 0xFF, 0xFF, 0xFF, 0x7F], TooLarge);
    }
}

#[test]
fn packets_without_a_body() {
    both_refuse(&[
        ("PINGREQ with a body", 0xC0, &[0], Malformed),
        ("PINGRESP with a body", 0xD0, &[0], Malformed),
    ]);
    all_refused(V311, &[("DISCONNECT with a body", 0xE0, &[0], Malformed)]);
}

/// QoS [MQTT-3.3.1-4], [MQTT3-3.3.1-4], DUP [MQTT-3.3.1-2], [MQTT3-3.3.1-2], packet identifier
/// [MQTT-2.2.1-3], [MQTT3-2.3.1-1], topic [MQTT-3.3.2-1], [MQTT3-3.3.2-1], its wildcards
/// [MQTT-3.3.2-2], [MQTT3-3.3.2-2], [MQTT-4.7.0-1], [MQTT3-4.7.1-1], its length [MQTT3-4.7.3-1], its
/// text [MQTT-1.5.4-1], [MQTT3-1.5.3-1], [MQTT-1.5.4-2], [MQTT3-1.5.3-2], [MQTT-4.7.3-2],
/// [MQTT3-4.7.3-2].
#[test]
fn publish_of_both_versions() {
    let both: &[(&str, u8, &[u8], Kind)] = &[
        ("QoS 3", 0x36, &[0, 1, b'a', 0, 1, 0], Malformed),
        ("QoS 3 with DUP", 0x3E, &[0, 1, b'a', 0, 1, 0], Malformed),
        ("DUP with QoS 0", 0x38, &[0, 1, b'a', 0], Malformed),
        ("no topic", 0x30, &[], Malformed),
        ("half a topic length", 0x30, &[0], Malformed),
        ("topic longer than the packet", 0x30, &[0, 5, b'a'], Malformed),
        ("packet identifier cut short", 0x32, &[0, 1, b'a'], Malformed),
        ("packet identifier of one byte", 0x32, &[0, 1, b'a', 0], Malformed),
        ("packet identifier 0", 0x32, &[0, 1, b'a', 0, 0, 0], Protocol),
        ("packet identifier 0, QoS 2", 0x34, &[0, 1, b'a', 0, 0, 0], Protocol),
        ("topic with +", 0x30, &[0, 3, b'a', b'/', b'+', 0], TopicNameInvalid),
        ("topic with #", 0x30, &[0, 1, b'#', 0], TopicNameInvalid),
        ("topic with U+0000", 0x30, &[0, 2, b'a', 0, 0], Malformed),
        ("topic with # and U+0000", 0x30, &[0, 2, b'#', 0, 0], Malformed),
        ("topic with a lone continuation byte", 0x30, &[0, 1, 0x80, 0], Malformed),
        ("topic with an overlong U+0000", 0x30, &[0, 2, 0xC0, 0x80, 0], Malformed),
        ("topic with a surrogate", 0x30, &[0, 3, 0xED, 0xA0, 0x80, 0], Malformed),
        ("topic above U+10FFFF", 0x30, &[0, 4, 0xF4, 0x90, 0x80, 0x80, 0], Malformed),
        ("topic that ends within a character", 0x30, &[0, 2, b'a', 0xC3, 0], Malformed),
    ];
    both_refuse(both);
    all_refused(V311, &[("empty topic", 0x30, &[0, 0], TopicNameInvalid)]);
}

/// The length [MQTT-2.2.2-1], [MQTT-1.5.5-1], response topic [MQTT-3.3.2-13], [MQTT-3.3.2-14], content
/// type [MQTT-3.3.2-19], topic alias [MQTT-3.3.2-8], user properties [MQTT-1.5.7-1], and a topic or an
/// alias [MQTT-4.7.3-1].
#[test]
fn publish_properties() {
    let cases: &[(&str, &[u8], Kind)] = &[
        ("no property length", &[], Malformed),
        ("property length in two bytes", &[0x80, 0x00], Malformed),
        ("property length of five bytes", &[0x80, 0x80, 0x80, 0x80, 0x01], Malformed),
        ("property length that goes on", &[0x80], Malformed),
        ("property length beyond the packet", &[5, 0x01, 0], Malformed),
        ("property cut by the property length", &[1, 0x01, 0], Malformed),
        ("identifier 0", &[1, 0x00], Malformed),
        ("identifier 4", &[2, 0x04, 0], Malformed),
        ("identifier 0x7F", &[2, 0x7F, 0], Malformed),
        ("identifier in two bytes", &[3, 0x81, 0x00, 0], Malformed),
        ("payload format 2", &[2, 0x01, 2], Protocol),
        ("payload format twice", &[4, 0x01, 0, 0x01, 0], Protocol),
        ("message expiry cut short", &[4, 0x02, 0, 0, 0], Malformed),
        ("message expiry twice", &[10, 0x02, 0, 0, 0, 1, 0x02, 0, 0, 0, 1], Protocol),
        ("content type twice", &[6, 0x03, 0, 0, 0x03, 0, 0], Protocol),
        ("content type with U+0000", &[4, 0x03, 0, 1, 0], Malformed),
        ("content type not UTF-8", &[4, 0x03, 0, 1, 0xFF], Malformed),
        ("content type too long", &[4, 0x03, 0, 9, b'a'], Malformed),
        ("response topic with #", &[4, 0x08, 0, 1, b'#'], TopicNameInvalid),
        ("response topic with +", &[6, 0x08, 0, 3, b'a', b'/', b'+'], TopicNameInvalid),
        ("response topic empty", &[3, 0x08, 0, 0], TopicNameInvalid),
        ("response topic with U+0000", &[4, 0x08, 0, 1, 0], Malformed),
        ("response topic twice", &[8, 0x08, 0, 1, b'a', 0x08, 0, 1, b'a'], Protocol),
        ("correlation data twice", &[6, 0x09, 0, 0, 0x09, 0, 0], Protocol),
        ("subscription identifier 0", &[2, 0x0B, 0], Protocol),
        ("subscription identifier not shortest", &[3, 0x0B, 0x81, 0x00], Malformed),
        ("subscription identifier of five bytes", &[6, 0x0B, 0x80, 0x80, 0x80, 0x80, 1], Malformed),
        ("topic alias 0", &[3, 0x23, 0, 0], TopicAliasInvalid),
        ("topic alias twice", &[6, 0x23, 0, 1, 0x23, 0, 1], Protocol),
        ("user property name with U+0000", &[6, 0x26, 0, 1, 0, 0, 0], Malformed),
        ("user property value with U+0000", &[6, 0x26, 0, 0, 0, 1, 0], Malformed),
        ("user property value not UTF-8", &[6, 0x26, 0, 0, 0, 1, 0xFE], Malformed),
        ("user property without value", &[3, 0x26, 0, 0], Malformed),
        ("session expiry", &[5, 0x11, 0, 0, 0, 1], Malformed),
        ("reason string", &[3, 0x1F, 0, 0], Malformed),
        ("will delay", &[5, 0x18, 0, 0, 0, 1], Malformed),
    ];
    for (name, properties, kind) in cases {
        let body = [&[0, 1, b'a'], *properties].concat();
        refused(name, V5, &wire(0x30, &body), *kind);
    }
    refused("empty topic without alias", V5, &wire(0x30, &[0, 0, 0]), Protocol);
    refused("empty topic, other property", V5, &wire(0x30, &[0, 0, 2, 0x01, 0]), Protocol);
}

/// Reason codes of PUBACK [MQTT-3.4.2-1], PUBREC [MQTT-3.5.2-1], PUBREL [MQTT-3.6.2-1] and PUBCOMP
/// [MQTT-3.7.2-1].
#[test]
fn acknowledgements() {
    for first in [0x40, 0x50, 0x62, 0x70] {
        both_refuse(&[
            ("empty", first, &[], Malformed),
            ("half a packet identifier", first, &[0], Malformed),
            ("packet identifier 0", first, &[0, 0], Protocol),
        ]);
        all_refused(V311, &[("trailing byte", first, &[0, 1, 0], Malformed)]);
        all_refused(
            V5,
            &[
                ("trailing byte", first, &[0, 1, 0, 0, 0], Malformed),
                ("property length beyond the packet", first, &[0, 1, 0, 1], Malformed),
                ("unknown reason code", first, &[0, 1, 0x05], Protocol),
                ("reason code of DISCONNECT", first, &[0, 1, 0x8D], Protocol),
                ("granted QoS 1", first, &[0, 1, 0x01], Protocol),
                ("reason string twice", first, &[0, 1, 0, 6, 0x1F, 0, 0, 0x1F, 0, 0], Protocol),
                ("topic alias", first, &[0, 1, 0, 3, 0x23, 0, 1], Malformed),
                ("content type", first, &[0, 1, 0, 3, 0x03, 0, 0], Malformed),
            ],
        );
    }
    all_refused(
        V5,
        &[
            ("PUBACK: identifier not found", 0x40, &[0, 1, 0x92], Protocol),
            ("PUBREL: not authorized", 0x62, &[0, 1, 0x87], Protocol),
            ("PUBCOMP: no subscribers", 0x70, &[0, 1, 0x10], Protocol),
        ],
    );
}

/// CONNECT with these flags and what follows the keep alive.
fn connect(version: Version, flags: u8, rest: &[u8]) -> Vec<u8> {
    let level = if version == V5 { 5 } else { 4 };
    wire(0x10, &[&[0, 4, b'M', b'Q', b'T', b'T', level, flags, 0, 60], rest].concat())
}

/// The reserved flag [MQTT-3.1.2-3], [MQTT3-3.1.2-3]; without the Will flag no QoS [MQTT-3.1.2-11],
/// [MQTT3-3.1.2-13], no Retain [MQTT-3.1.2-13], [MQTT3-3.1.2-15], nothing at all [MQTT3-3.1.2-11]; Will
/// QoS [MQTT-3.1.2-12], [MQTT3-3.1.2-14]; with the flag a Will [MQTT-3.1.2-9], [MQTT3-3.1.2-9] of UTF-8
/// [MQTT-3.1.3-11], [MQTT3-3.1.3-10]; client identifier [MQTT-3.1.3-3], [MQTT3-3.1.3-3],
/// [MQTT-3.1.3-4], [MQTT3-3.1.3-4]; user name by its flag [MQTT-3.1.2-16], [MQTT3-3.1.2-18],
/// [MQTT-3.1.2-17], [MQTT3-3.1.2-19], of UTF-8 [MQTT-3.1.3-12], [MQTT3-3.1.3-11]; password by its flag
/// [MQTT-3.1.2-18], [MQTT3-3.1.2-20], [MQTT-3.1.2-19], [MQTT3-3.1.2-21], [MQTT3-3.1.2-22].
#[test]
fn connect_of_both_versions() {
    for version in [V311, V5] {
        // MQTT 5.0 has a property length before the client identifier and before the will topic.
        let none: &[u8] = if version == V5 { &[0] } else { &[] };
        let id = [none, &[0, 1, b'c']].concat();
        let with = |rest: &[u8]| [&id, rest].concat();
        let with_will = |rest: &[u8]| [&id, none, rest].concat();
        let cases: &[(&str, u8, Vec<u8>, Kind)] = &[
            ("reserved flag", 0x03, id.clone(), Malformed),
            ("will QoS without will", 0x0A, id.clone(), Malformed),
            ("will retain without will", 0x22, id.clone(), Malformed),
            ("will QoS 3", 0x1E, with_will(&[0, 1, b't', 0, 0]), Malformed),
            ("no client identifier", 0x02, none.to_vec(), Malformed),
            ("client identifier with U+0000", 0x02, [none, &[0, 1, 0]].concat(), Malformed),
            ("client identifier not UTF-8", 0x02, [none, &[0, 1, 0xFF]].concat(), Malformed),
            ("trailing byte", 0x02, with(&[0]), Malformed),
            ("user name missing", 0x82, id.clone(), Malformed),
            ("user name with U+0000", 0x82, with(&[0, 1, 0]), Malformed),
            ("user name not UTF-8", 0x82, with(&[0, 1, 0xC3]), Malformed),
            ("password missing", 0xC2, with(&[0, 1, b'u']), Malformed),
            ("password cut short", 0xC2, with(&[0, 1, b'u', 0, 2, 1]), Malformed),
            ("will missing", 0x06, id.clone(), Malformed),
            ("will topic empty", 0x06, with_will(&[0, 0, 0, 0]), TopicNameInvalid),
            ("will topic with +", 0x06, with_will(&[0, 1, b'+', 0, 0]), TopicNameInvalid),
            ("will topic with U+0000", 0x06, with_will(&[0, 1, 0, 0, 0]), Malformed),
            ("will topic not UTF-8", 0x06, with_will(&[0, 1, 0xFF, 0, 0]), Malformed),
            ("will payload missing", 0x06, with_will(&[0, 1, b't']), Malformed),
        ];
        for (name, flags, rest, kind) in cases {
            refused(name, version, &connect(version, *flags, rest), *kind);
        }
    }
    let lonely_password = [0, 1, b'c', 0, 1, b'p'];
    refused("password alone", V311, &connect(V311, 0x42, &lonely_password), Malformed);
}

/// [MQTT-3.1.2-1], [MQTT3-3.1.2-1], [MQTT-3.1.2-2], [MQTT3-3.1.2-2].
#[test]
fn connect_protocol_name_and_level() {
    let cases: &[(&str, &[u8], Kind)] = &[
        ("MQTT 3.1", b"\0\x06MQIsdp\x03\x02\0\0\0\x01c", Malformed),
        ("another name", b"\0\x04MQTS\x04\x02\0\0\0\x01c", Malformed),
        ("lower case", b"\0\x04mqtt\x04\x02\0\0\0\x01c", Malformed),
        ("no name", b"\0\x00\x04\x02\0\0\0\x01c", Malformed),
        ("nothing", b"", Malformed),
        ("no level", b"\0\x04MQTT", Malformed),
        ("no flags", b"\0\x04MQTT\x04", Malformed),
        ("half a keep alive", b"\0\x04MQTT\x04\x02\0", Malformed),
        ("level 3", b"\0\x04MQTT\x03\x02\0\0\0\x01c", UnsupportedVersion),
        ("level 6", b"\0\x04MQTT\x06\x02\0\0\0\x01c", UnsupportedVersion),
        ("level 0x84", b"\0\x04MQTT\x84\x02\0\0\0\x01c", UnsupportedVersion),
    ];
    for (name, body, kind) in cases {
        refused(name, V5, &wire(0x10, body), *kind);
    }
}

#[test]
fn connect_properties() {
    let cases: &[(&str, &[u8], Kind)] = &[
        ("receive maximum 0", &[3, 0x21, 0, 0], Protocol),
        ("receive maximum twice", &[6, 0x21, 0, 1, 0x21, 0, 1], Protocol),
        ("maximum packet size 0", &[5, 0x27, 0, 0, 0, 0], Protocol),
        ("request problem information 2", &[2, 0x17, 2], Protocol),
        ("request response information 2", &[2, 0x19, 2], Protocol),
        ("session expiry twice", &[10, 0x11, 0, 0, 0, 1, 0x11, 0, 0, 0, 1], Protocol),
        ("topic alias maximum twice", &[6, 0x22, 0, 1, 0x22, 0, 1], Protocol),
        ("authentication data without method", &[3, 0x16, 0, 0], Protocol),
        ("authentication method twice", &[6, 0x15, 0, 0, 0x15, 0, 0], Protocol),
        ("topic alias", &[3, 0x23, 0, 1], Malformed),
        ("will delay outside the will", &[5, 0x18, 0, 0, 0, 1], Malformed),
        ("subscription identifier", &[2, 0x0B, 1], Malformed),
        ("server keep alive", &[3, 0x13, 0, 1], Malformed),
        ("reason string", &[3, 0x1F, 0, 0], Malformed),
        ("no property length", &[], Malformed),
    ];
    for (name, properties, kind) in cases {
        let id: &[u8] = if properties.is_empty() { &[] } else { &[0, 1, b'c'] };
        refused(name, V5, &connect(V5, 0x02, &[properties, id].concat()), *kind);
    }
    let in_will: &[(&str, &[u8], Kind)] = &[
        ("will: payload format 2", &[2, 0x01, 2], Protocol),
        ("will: delay twice", &[10, 0x18, 0, 0, 0, 1, 0x18, 0, 0, 0, 1], Protocol),
        ("will: response topic with #", &[4, 0x08, 0, 1, b'#'], TopicNameInvalid),
        ("will: topic alias", &[3, 0x23, 0, 1], Malformed),
        ("will: session expiry", &[5, 0x11, 0, 0, 0, 1], Malformed),
        ("will: subscription identifier", &[2, 0x0B, 1], Malformed),
    ];
    for (name, properties, kind) in in_will {
        let rest = [&[0, 0, 1, b'c'], *properties, &[0, 1, b't', 0, 0]].concat();
        refused(name, V5, &connect(V5, 0x06, &rest), *kind);
    }
}

/// [MQTT-3.2.2-1], [MQTT-3.2.2-6], [MQTT3-3.2.2-4], [MQTT-3.2.2-8].
#[test]
fn connack() {
    both_refuse(&[
        ("empty", 0x20, &[], Malformed),
        ("reserved acknowledge flag", 0x20, &[0x02, 0, 0], Malformed),
        ("no code", 0x20, &[0], Malformed),
    ]);
    all_refused(
        V311,
        &[
            ("return code 6", 0x20, &[0, 6], Protocol),
            ("session present beside an error", 0x20, &[1, 5], Protocol),
            ("trailing byte", 0x20, &[0, 0, 0], Malformed),
        ],
    );
    all_refused(
        V5,
        &[
            ("no property length", 0x20, &[0, 0], Malformed),
            ("session present beside an error", 0x20, &[1, 0x87, 0], Protocol),
            ("granted QoS 1", 0x20, &[0, 0x01, 0], Protocol),
            ("keep alive timeout", 0x20, &[0, 0x8D, 0], Protocol),
            ("trailing byte", 0x20, &[0, 0, 0, 0], Malformed),
            ("maximum QoS 2", 0x20, &[0, 0, 2, 0x24, 2], Protocol),
            ("retain available 2", 0x20, &[0, 0, 2, 0x25, 2], Protocol),
            ("wildcards available 2", 0x20, &[0, 0, 2, 0x28, 2], Protocol),
            ("identifiers available 2", 0x20, &[0, 0, 2, 0x29, 2], Protocol),
            ("shared available 2", 0x20, &[0, 0, 2, 0x2A, 2], Protocol),
            ("receive maximum 0", 0x20, &[0, 0, 3, 0x21, 0, 0], Protocol),
            ("maximum packet size 0", 0x20, &[0, 0, 5, 0x27, 0, 0, 0, 0], Protocol),
            ("request problem information", 0x20, &[0, 0, 2, 0x17, 0], Malformed),
        ],
    );
}

/// At least one filter [MQTT-3.8.3-2], [MQTT3-3.8.3-3], [MQTT-3.10.3-2], [MQTT3-3.10.3-2], of UTF-8
/// [MQTT-3.8.3-1], [MQTT3-3.8.3-1], [MQTT-3.10.3-1], [MQTT3-3.10.3-1]; reserved bits [MQTT-3.8.3-5],
/// [MQTT3-3.8.3-4]; no-local [MQTT-3.8.3-4]; packet identifier [MQTT-2.2.1-3], [MQTT3-2.3.1-1].
#[test]
fn subscribe_and_unsubscribe() {
    both_refuse(&[
        ("SUBSCRIBE empty", 0x82, &[], Malformed),
        ("SUBSCRIBE identifier 0", 0x82, &[0, 0, 0, 1, b'a', 0], Protocol),
        ("UNSUBSCRIBE identifier 0", 0xA2, &[0, 0, 0, 1, b'a'], Protocol),
    ]);
    all_refused(
        V311,
        &[
            ("SUBSCRIBE without filter", 0x82, &[0, 1], Protocol),
            ("SUBSCRIBE without options", 0x82, &[0, 1, 0, 1, b'a'], Malformed),
            ("SUBSCRIBE QoS 3", 0x82, &[0, 1, 0, 1, b'a', 3], Malformed),
            ("SUBSCRIBE reserved bit", 0x82, &[0, 1, 0, 1, b'a', 0x04], Malformed),
            ("SUBSCRIBE high reserved bit", 0x82, &[0, 1, 0, 1, b'a', 0x80], Malformed),
            ("SUBSCRIBE filter with U+0000", 0x82, &[0, 1, 0, 1, 0, 0], Malformed),
            ("SUBSCRIBE not UTF-8", 0x82, &[0, 1, 0, 1, 0xFF, 0], Malformed),
            ("SUBSCRIBE trailing byte", 0x82, &[0, 1, 0, 1, b'a', 0, 0], Malformed),
            ("UNSUBSCRIBE without filter", 0xA2, &[0, 1], Protocol),
            ("UNSUBSCRIBE not UTF-8", 0xA2, &[0, 1, 0, 1, 0xFF], Malformed),
            ("UNSUBSCRIBE trailing byte", 0xA2, &[0, 1, 0, 1, b'a', 0], Malformed),
        ],
    );
    let shared = b"\0\x01\0\0\x0a$share/g/a\x04";
    all_refused(
        V5,
        &[
            ("SUBSCRIBE without filter", 0x82, &[0, 1, 0], Protocol),
            ("SUBSCRIBE QoS 3", 0x82, &[0, 1, 0, 0, 1, b'a', 3], Malformed),
            ("SUBSCRIBE reserved bit 6", 0x82, &[0, 1, 0, 0, 1, b'a', 0x40], Malformed),
            ("SUBSCRIBE reserved bit 7", 0x82, &[0, 1, 0, 0, 1, b'a', 0x80], Malformed),
            ("SUBSCRIBE retain handling 3", 0x82, &[0, 1, 0, 0, 1, b'a', 0x30], Protocol),
            ("SUBSCRIBE shared no-local", 0x82, shared, Protocol),
            ("SUBSCRIBE not UTF-8", 0x82, &[0, 1, 0, 0, 1, 0xFF, 0], Malformed),
            ("SUBSCRIBE identifier 0", 0x82, &[0, 1, 2, 0x0B, 0, 0, 1, b'a', 0], Protocol),
            ("SUBSCRIBE two ids", 0x82, &[0, 1, 4, 0x0B, 1, 0x0B, 2, 0, 1, b'a', 0], Protocol),
            ("SUBSCRIBE alias", 0x82, &[0, 1, 3, 0x23, 0, 1, 0, 1, b'a', 0], Malformed),
            ("UNSUBSCRIBE without filter", 0xA2, &[0, 1, 0], Protocol),
            ("UNSUBSCRIBE not UTF-8", 0xA2, &[0, 1, 0, 0, 1, 0xFF], Malformed),
            ("UNSUBSCRIBE id", 0xA2, &[0, 1, 2, 0x0B, 1, 0, 1, b'a'], Malformed),
        ],
    );
}

/// [MQTT-3.9.3-2], [MQTT3-3.9.3-2], [MQTT-3.11.3-2].
#[test]
fn suback_and_unsuback() {
    all_refused(
        V311,
        &[
            ("SUBACK without code", 0x90, &[0, 1], Protocol),
            ("SUBACK identifier 0", 0x90, &[0, 0, 0], Protocol),
            ("SUBACK code 3", 0x90, &[0, 1, 3], Protocol),
            ("SUBACK code of MQTT 5.0", 0x90, &[0, 1, 0x87], Protocol),
            ("UNSUBACK identifier 0", 0xB0, &[0, 0], Protocol),
            ("UNSUBACK with codes", 0xB0, &[0, 1, 0], Malformed),
        ],
    );
    all_refused(
        V5,
        &[
            ("SUBACK without code", 0x90, &[0, 1, 0], Protocol),
            ("SUBACK code 3", 0x90, &[0, 1, 0, 3], Protocol),
            ("SUBACK code of UNSUBACK", 0x90, &[0, 1, 0, 0x11], Protocol),
            ("SUBACK subscription identifier", 0x90, &[0, 1, 2, 0x0B, 1, 0], Malformed),
            ("UNSUBACK without code", 0xB0, &[0, 1, 0], Protocol),
            ("UNSUBACK without properties", 0xB0, &[0, 1], Malformed),
            ("UNSUBACK code of SUBACK", 0xB0, &[0, 1, 0, 0x01], Protocol),
        ],
    );
}

/// [MQTT-3.14.2-1], [MQTT-3.15.2-1].
#[test]
fn disconnect_and_auth() {
    all_refused(
        V5,
        &[
            ("DISCONNECT unknown code", 0xE0, &[0x05], Protocol),
            ("DISCONNECT code of CONNACK", 0xE0, &[0x85], Protocol),
            ("DISCONNECT trailing byte", 0xE0, &[0, 0, 0], Malformed),
            ("DISCONNECT properties cut short", 0xE0, &[0, 5, 0x11, 0], Malformed),
            ("DISCONNECT expiry twice", 0xE0, b"\0\x0a\x11\0\0\0\0\x11\0\0\0\0", Protocol),
            ("DISCONNECT alias", 0xE0, &[0, 3, 0x23, 0, 1], Malformed),
            ("AUTH without properties", 0xF0, &[0x18], Malformed),
            ("AUTH without method", 0xF0, &[0x18, 0], Protocol),
            ("AUTH success without method", 0xF0, &[0, 6, 0x1F, 0, 3, b'w', b'h', b'y'], Protocol),
            ("AUTH data without method", 0xF0, &[0x18, 3, 0x16, 0, 0], Protocol),
            ("AUTH unknown code", 0xF0, &[0x87, 4, 0x15, 0, 1, b'm'], Protocol),
            ("AUTH trailing byte", 0xF0, &[0x18, 4, 0x15, 0, 1, b'm', 0], Malformed),
        ],
    );
}

#[test]
fn an_error_names_packet_field_and_reason_code() {
    let error = decode(&wire(0x32, &[0, 1, b'a', 0, 0, 0]), V5, 1000).unwrap_err();
    assert_eq!(error.to_string(), "PUBLISH packet identifier: is 0; it must be 1 to 65535");
    assert_eq!(error.reason_code(), ReasonCode::ProtocolError);
    let alias = decode(&wire(0x30, &[0, 0, 3, 0x23, 0, 0]), V5, 1000).unwrap_err();
    assert_eq!(alias.reason_code(), ReasonCode::TopicAliasInvalid);
    let large = decode(&[0x30, 0xE8, 0x07], V5, 1000).unwrap_err();
    assert_eq!(large.reason_code(), ReasonCode::PacketTooLarge);
}
