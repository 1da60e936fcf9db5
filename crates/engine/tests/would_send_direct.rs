//! A dry run of a direct message says what sending it would, and changes nothing.

use std::sync::Arc;
use std::time::Duration;

use engine::Moment;
use engine::access::{Access, Peer, ReceivePermit};
use engine::direct::DirectMessage;
use engine::directory::Principal;
use engine::limits::{Bounds, Quotas};
use engine::outcome::DirectOutcome;
use engine::profile::STANDARD;
use engine::rate::Rate;
use engine::session::{Lifetime, Rules, Session, negotiate};
use mqtt::{Connect, Properties, PropertiesBuf, Property, TopicName, Version};
use policy::Scope;
use proptest::prelude::*;

const TOPIC: &str = "commands/reboot";

/// A message, and how long after the one before it.
#[derive(Clone, Debug)]
struct Sending {
    payload: usize,
    confirmed: bool,
    after_millis: u64,
    /// Whether all that was written before has left.
    flushed: bool,
}

fn sending() -> impl Strategy<Value = Sending> {
    (0..300_usize, any::<bool>(), 0..200_u64, prop::bool::weighted(0.3)).prop_map(
        |(payload, confirmed, after_millis, flushed)| Sending {
            payload,
            confirmed,
            after_millis,
            flushed,
        },
    )
}

fn session(version: Version, receive_maximum: u16, packet_size_max: u32) -> Session<u32> {
    let quotas = Quotas {
        publishes_per_connection: Some(Rate { per_second: 10, burst: 6 }),
        ..Quotas::default()
    };
    let bounds = Bounds { outbound_buffer_bytes: 600, ..Bounds::default() };
    let rules = Arc::new(Rules::new(&STANDARD, quotas, &bounds));
    let mut properties = PropertiesBuf::new();
    if version == Version::V5 {
        properties.push(Property::ReceiveMaximum(receive_maximum)).expect("valid");
        properties.push(Property::MaximumPacketSize(packet_size_max)).expect("valid");
    }
    let connect = Connect {
        version,
        clean_start: true,
        keep_alive: 60,
        client_id: "lamp",
        properties: properties.as_properties(),
        will: None,
        username: None,
        password: None,
    };
    let granted = negotiate(&connect, &rules, || unreachable!("it has a client ID"));
    let granted = granted.expect("the terms are acceptable");
    Session::new(rules, &granted, Lifetime::Connection, None, Moment::START, None)
}

fn permit() -> ReceivePermit {
    let access = Access::new(Scope::new("us-west-2", "123456789012"), 0, Arc::default());
    let device = Peer {
        principal: Principal::anonymous(),
        source: ([127, 0, 0, 1], 1).into(),
        secure: true,
        client_id: None,
        thing: None,
    };
    let topic = TopicName::parse(TOPIC).expect("valid");
    access.receive(&device, topic, Moment::START).expect("anybody may")
}

proptest! {
    #[test]
    fn a_dry_run_says_what_sending_does_and_changes_nothing(
        version in prop_oneof![Just(Version::V311), Just(Version::V5)],
        receive_maximum in 1..6_u16,
        packet_size_max in 150..400_u32,
        sendings in prop::collection::vec(sending(), 1..30),
    ) {
        let mut session = session(version, receive_maximum, packet_size_max);
        let mut out = Vec::new();
        let mut now = Moment::START;
        for (number, sending) in (0..).zip(&sendings) {
            now = now.after(Duration::from_millis(sending.after_millis));
            if sending.flushed {
                out.clear();
            }
            let payload = vec![0; sending.payload];
            let message = DirectMessage {
                topic: TopicName::parse(TOPIC).expect("valid"),
                payload: &payload,
                properties: Properties::EMPTY,
                optional: None,
                confirmation: sending.confirmed.then_some(Duration::from_secs(5)),
                deadline: None,
            };
            let before = format!("{session:?}");
            let foreseen = session.would_send_direct(&message, &permit(), now, out.len());
            let prospect = session.prospect(&message);
            prop_assert_eq!(&before, &format!("{session:?}"));

            let length = out.len();
            let sent = session.send_direct(&message, permit(), || number, now, &mut out);
            prop_assert_eq!(&foreseen, &sent);
            if sent.is_ok() {
                prop_assert_eq!(prospect.packet_bytes, out.len() - length);
                prop_assert!(!sending.confirmed || prospect.inflight < prospect.window.into());
            }
            if let Err(DirectOutcome::ReceiverPacketTooLarge { limit }) = sent {
                prop_assert_eq!(prospect.packet_size_max, limit);
                prop_assert!(prospect.packet_bytes > limit as usize);
            }
        }
    }
}

/// The packet that a device of that version gets which takes packets so long; `pending` bytes wait already.
fn sent_with_optional(version: Version, packet_size_max: u32, pending: usize) -> Option<Vec<u8>> {
    let mut session = session(version, 5, packet_size_max);
    let mut optional = PropertiesBuf::new();
    optional.push(Property::UserProperty("name", &"v".repeat(50))).expect("valid");
    let message = DirectMessage {
        topic: TopicName::parse(TOPIC).expect("valid"),
        payload: &[0; 40],
        properties: Properties::EMPTY,
        optional: Some(optional.as_properties()),
        confirmation: Some(Duration::from_secs(5)),
        deadline: None,
    };
    let mut out = vec![0; pending];
    session.send_direct(&message, permit(), || 0, Moment::START, &mut out).ok()?;
    Some(out.split_off(pending))
}

#[test]
fn what_is_optional_goes_along_only_where_there_is_room_for_it() {
    let with = sent_with_optional(Version::V5, 1_000, 0).expect("it fits");
    let without = sent_with_optional(Version::V5, 100, 0).expect("it fits without");
    assert!(with.len() > 100 && without.len() <= 100);
    assert_eq!(with.len(), without.len() + 59);
    let limit = u32::try_from(with.len()).expect("short");
    assert_eq!(sent_with_optional(Version::V5, limit, 0), Some(with.clone()));
    assert_eq!(sent_with_optional(Version::V5, limit - 1, 0), Some(without.clone()));
    let too_long = u32::try_from(without.len()).expect("short") - 1;
    assert_eq!(sent_with_optional(Version::V5, too_long, 0), None);
    let old = sent_with_optional(Version::V311, 1_000, 0).expect("it fits");
    assert_eq!(old.len() + 1, without.len(), "no properties, nor their length");
    // That of `session`.
    let room = 600;
    assert_eq!(sent_with_optional(Version::V5, 1_000, room - with.len()), Some(with));
    let pending = room - without.len();
    assert_eq!(sent_with_optional(Version::V5, 1_000, pending), Some(without));
}
