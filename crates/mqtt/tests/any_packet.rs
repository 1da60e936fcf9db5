//! What holds for every packet and for every sequence of bytes.
#![allow(clippy::unwrap_used, reason = "a failed test should panic")]

mod arbitrary;

use mqtt::{DecodeErrorKind, Packet, PropertiesBuf, Version, decode};
use proptest::collection::vec;
use proptest::prelude::*;

fn encoded(version: Version, packet: &Packet<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.encode(version, &mut bytes).unwrap();
    bytes
}

fn decode_both(bytes: &[u8]) {
    for version in [Version::V311, Version::V5] {
        if let Ok(Some((packet, consumed))) = decode(bytes, version, usize::MAX) {
            assert!(consumed <= bytes.len());
            // Whatever is accepted can be written again; CONNECT is in its own version.
            let again = encoded(version, &packet);
            let (second, _) = decode(&again, version, usize::MAX).unwrap().unwrap();
            assert_eq!(packet, second);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn decoding_gives_back_what_was_encoded((version, packet) in arbitrary::packet()) {
        let mut bytes = encoded(version, &packet);
        let len = bytes.len();
        bytes.extend_from_slice(&[0xC0, 0x00]);
        let (decoded, consumed) = decode(&bytes, version, len).unwrap().unwrap();
        prop_assert_eq!(&decoded, &packet);
        prop_assert_eq!(consumed, len);
    }

    #[test]
    fn encoding_appends_as_many_bytes_as_announced((version, packet) in arbitrary::packet()) {
        let announced = match &packet {
            Packet::Connect(p) => p.encoded_len(version),
            Packet::ConnAck(p) => p.encoded_len(version),
            Packet::Publish(p) => p.encoded_len(version),
            Packet::PubAck(p) | Packet::PubRec(p) | Packet::PubRel(p) | Packet::PubComp(p) => {
                p.encoded_len(version)
            }
            Packet::Subscribe(p) => p.encoded_len(version),
            Packet::SubAck(p) => p.encoded_len(version),
            Packet::Unsubscribe(p) => p.encoded_len(version),
            Packet::UnsubAck(p) => p.encoded_len(version),
            Packet::PingReq | Packet::PingResp => 2,
            Packet::Disconnect(p) => p.encoded_len(version),
            Packet::Auth(p) => p.encoded_len(version),
        };
        let mut out = vec![7; 3];
        packet.encode(version, &mut out).unwrap();
        prop_assert_eq!(&out[..3], &[7; 3]);
        prop_assert_eq!(out.len() - 3, announced);
    }

    #[test]
    fn every_prefix_of_a_packet_needs_more_bytes((version, packet) in arbitrary::packet()) {
        let bytes = encoded(version, &packet);
        // All prefixes of a long payload are alike: look at the ends.
        let near_the_ends = (0..bytes.len().min(300)).chain(bytes.len().saturating_sub(50)..bytes.len());
        for len in near_the_ends {
            prop_assert_eq!(decode(&bytes[..len], version, usize::MAX), Ok(None), "{} bytes", len);
        }
    }

    #[test]
    fn a_packet_above_the_maximum_is_refused_by_its_header(
        (version, packet) in arbitrary::packet()
    ) {
        let bytes = encoded(version, &packet);
        let header = bytes.len().min(5);
        let error = decode(&bytes[..header], version, bytes.len() - 1).unwrap_err();
        prop_assert_eq!(error.kind, DecodeErrorKind::TooLarge);
        prop_assert_eq!(error.packet, packet.name());
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..200)) {
        decode_both(&bytes);
    }

    #[test]
    fn arbitrary_bodies_never_panic(first in any::<u8>(), body in vec(0..0x30u8, 0..120)) {
        let mut bytes = vec![first, body.len() as u8];
        bytes.extend_from_slice(&body);
        decode_both(&bytes);
    }

    #[test]
    fn mutated_packets_never_panic(
        (version, packet) in arbitrary::packet(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in option(any::<prop::sample::Index>()),
    ) {
        let mut bytes = encoded(version, &packet);
        for (index, value) in changes {
            let index = index.index(bytes.len());
            bytes[index] = value;
        }
        if let Some(cut) = cut {
            let index = cut.index(bytes.len());
            bytes.remove(index);
        }
        decode_both(&bytes);
    }

    #[test]
    fn properties_come_back_in_order(list in vec(arbitrary::property(), 0..20)) {
        let mut buf = PropertiesBuf::new();
        let kept: Vec<_> = list.into_iter().filter(|property| buf.push(*property).is_ok()).collect();
        prop_assert_eq!(buf.as_properties().iter().collect::<Vec<_>>(), kept);
    }
}

fn option<T: Strategy>(strategy: T) -> impl Strategy<Value = Option<T::Value>> {
    prop::option::of(strategy)
}
