//! Every record is read back as it was written, and what is no record is an error.

use std::sync::Arc;

use engine::message::Message;
use engine::queue::Entry;
use engine::retained::Retained;
use engine::{Moment, Wall};
use mqtt::{
    ClientId, PacketId, PropertiesBuf, Property, QoS, RetainHandling, SubscribeOptions,
    TopicFilter, TopicName, Version,
};
use proptest::prelude::*;
use proptest::sample::select;
use store::record::queue::{self, Queued};
use store::record::session::Session;
use store::record::subscription::Subscription;
use store::record::{received, retained, session, shadow, subscription, will};
use store::{Changes, Table};

const WALL: Wall = Wall::new(1_700_000_000_000);

/// The only change: its key and its value.
fn only(changes: &Changes, table: Table) -> (Vec<u8>, Vec<u8>) {
    let mut each = changes.iter();
    let change = each.next().expect("a change");
    assert!(each.next().is_none(), "one change only");
    assert_eq!(change.table, table);
    (change.key.to_vec(), change.value.expect("it is kept").to_vec())
}

fn any_qos() -> impl Strategy<Value = QoS> {
    select(vec![QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce])
}

fn any_client_id() -> impl Strategy<Value = ClientId> {
    "[a-zäß/€ -]{1,20}".prop_map(|text| ClientId::parse(&text).expect("valid"))
}

fn any_packet_id() -> impl Strategy<Value = PacketId> {
    (1..=u16::MAX).prop_map(|id| PacketId::new(id).expect("not 0"))
}

fn any_message() -> impl Strategy<Value = Message> {
    let properties = (proptest::option::of("[a-z]{0,9}"), proptest::option::of("[a-zä]{0,9}"));
    (
        "[a-z/ü]{1,30}",
        any_qos(),
        any::<bool>(),
        properties,
        proptest::collection::vec(any::<u8>(), 0..300),
        // Whole milliseconds: that is what is kept.
        proptest::option::of(0..u64::from(u32::MAX) * 1_000),
    )
        .prop_map(|(topic, qos, retain, (content, user), payload, expires)| {
            let mut properties = PropertiesBuf::new();
            if let Some(content) = &content {
                properties.push(Property::ContentType(content)).expect("valid");
            }
            if let Some(user) = &user {
                properties.push(Property::UserProperty(user, "value")).expect("valid");
            }
            Message {
                topic: TopicName::parse(&topic).expect("valid").into(),
                qos,
                retain,
                properties,
                payload: payload.into(),
                expires: expires.map(|millis| Moment::from_micros(millis * 1_000)),
            }
        })
}

proptest! {
    #[test]
    fn a_session(
        client_id in any_client_id(),
        number: u64,
        version in select(vec![Version::V311, Version::V5]),
        expiry_seconds: u32,
        ends_at: Option<u64>,
    ) {
        let connections = number % 5;
        let kept = Session { number, version, expiry_seconds, ends_at, connections };
        let mut changes = Changes::new();
        session::put(&mut changes, &client_id, &kept);
        let (key, value) = only(&changes, Table::Sessions);
        prop_assert_eq!(session::read(&key, &value), Ok((client_id, kept)));
    }

    #[test]
    fn a_subscription(
        number: u64,
        filter in "([a-zé+]/){0,4}[a-z#]",
        shared in proptest::option::of("[a-z]{1,5}"),
        qos in any_qos(),
        no_local: bool,
        retain_as_published: bool,
        identifier: Option<u32>,
    ) {
        let filter = shared.map_or(filter.clone(), |group| format!("$share/{group}/{filter}"));
        let filter = TopicFilter::parse(&filter).expect("valid");
        let retain_handling = RetainHandling::default();
        let options = SubscribeOptions { qos, no_local, retain_as_published, retain_handling };
        let kept = Subscription { filter, options, identifier };
        let mut changes = Changes::new();
        subscription::put(&mut changes, number, &kept);
        let (key, value) = only(&changes, Table::Subscriptions);
        prop_assert_eq!(subscription::read(&key, &value), Ok((number, kept)));
    }

    #[test]
    fn a_message_that_waits(
        number: u64,
        seq: u64,
        message in any_message(),
        qos in any_qos(),
        retain: bool,
        identifiers in proptest::collection::vec(any::<u32>(), 0..4),
        packet_id in proptest::option::of(any_packet_id()),
    ) {
        let identifiers = identifiers.into();
        let entry = Entry { message: Arc::new(message), seq, qos, retain, identifiers };
        let mut changes = Changes::new();
        queue::put(&mut changes, number, &entry, packet_id, WALL);
        let (key, value) = only(&changes, Table::Queues);
        let kept = Queued::Message(entry, packet_id);
        prop_assert_eq!(queue::read(&key, &value, WALL), Ok((number, kept)));
    }

    #[test]
    fn a_packet_id_of_either_side(number: u64, seq: u64, packet_id in any_packet_id()) {
        let mut changes = Changes::new();
        queue::put_released(&mut changes, number, seq, packet_id);
        let (key, value) = only(&changes, Table::Queues);
        let kept = Queued::Released { seq, packet_id };
        prop_assert_eq!(queue::read(&key, &value, WALL), Ok((number, kept)));

        let mut changes = Changes::new();
        received::put(&mut changes, number, packet_id);
        let (key, _) = only(&changes, Table::Received);
        prop_assert_eq!(received::read(&key), Ok((number, packet_id)));
    }

    #[test]
    fn a_retained_message_and_a_will(
        message in any_message(),
        again in any_message(),
        modified_millis: u64,
        due_at: u64,
        client_id in any_client_id(),
        publisher in proptest::option::of(any_client_id()),
    ) {
        let kept = Retained { message: Arc::new(message), modified_millis, publisher };
        let mut changes = Changes::new();
        retained::put(&mut changes, &kept, WALL);
        let (key, value) = only(&changes, Table::Retained);
        prop_assert_eq!(key, kept.message.topic.as_str().as_bytes());
        prop_assert_eq!(retained::read(&value, WALL), Ok(kept));

        let mut changes = Changes::new();
        will::put(&mut changes, &client_id, (&again, Some(60)), due_at, WALL);
        let (key, value) = only(&changes, Table::Wills);
        let kept = will::Will { message: again, expiry_seconds: Some(60), due_at };
        prop_assert_eq!(will::read(&key, &value, WALL), Ok((client_id, kept)));
    }

    #[test]
    fn a_shadow_and_that_it_was_deleted(
        thing in "[a-zA-Z0-9:_-]{1,20}",
        name in proptest::option::of("[$a-zA-Z0-9:_-]{1,20}"),
        version: u64,
        at_millis: u64,
        state in ".{0,40}",
        times in ".{0,40}",
    ) {
        let kept = shadow::Key { thing: &thing, name: name.as_deref() };
        let document = shadow::Content::Document { state: &state, times: &times };
        for content in [document, shadow::Content::Deleted { at_millis }] {
            let record = shadow::Shadow { version, content };
            let mut changes = Changes::new();
            shadow::put(&mut changes, kept, &record);
            let (key, value) = only(&changes, Table::Shadows);
            prop_assert_eq!(shadow::read(&key, &value), Ok((kept, record)));
            prop_assert!(shadow::read(&key, &value[..value.len() - 1]).is_err());
            let mut deleted = Changes::new();
            shadow::delete(&mut deleted, kept);
            prop_assert_eq!(deleted.iter().next().map(|change| change.key), Some(&*key));
        }
    }

    #[test]
    fn the_shadows_of_one_thing_are_neighbours(
        things in proptest::collection::vec("[a-b:-]{1,3}", 2..5),
        names in proptest::collection::vec(proptest::option::of("[$a-b]{1,2}"), 2..5),
    ) {
        let mut keys: Vec<(Vec<u8>, String)> = Vec::new();
        for (thing, name) in things.iter().flat_map(|thing| names.iter().map(move |n| (thing, n))) {
            let mut changes = Changes::new();
            shadow::delete(&mut changes, shadow::Key { thing, name: name.as_deref() });
            let key = changes.iter().next().expect("one").key.to_vec();
            keys.push((key, thing.clone()));
        }
        keys.sort();
        let mut things: Vec<_> = keys.into_iter().map(|(_, thing)| thing).collect();
        things.dedup();
        let count = things.len();
        things.sort();
        things.dedup();
        prop_assert_eq!(things.len(), count);
    }

    #[test]
    fn a_part_of_a_record_or_a_record_with_more_behind_it_is_an_error(
        message in any_message(),
        packet_id in proptest::option::of(any_packet_id()),
        cut: proptest::sample::Index,
        more in 1_usize..9,
    ) {
        let qos = QoS::ExactlyOnce;
        let identifiers = Box::from([7]);
        let entry = Entry { message: Arc::new(message), seq: 1, qos, retain: true, identifiers };
        let mut changes = Changes::new();
        queue::put(&mut changes, 1, &entry, packet_id, WALL);
        let (key, mut value) = only(&changes, Table::Queues);
        let end = cut.index(value.len());
        prop_assert!(queue::read(&key, &value[..end], WALL).is_err());
        prop_assert!(queue::read(&key[1..], &value, WALL).is_err());
        value.resize(value.len() + more, 0);
        prop_assert!(queue::read(&key, &value, WALL).is_err());
        value[0] = value[0].wrapping_add(1);
        prop_assert!(queue::read(&key, &value, WALL).is_err());
    }
}
