//! What a session holds back until something is durable has a bound, as what it writes has.

use std::net::SocketAddr;
use std::sync::Arc;

use engine::access::{Access, Peer};
use engine::directory::Principal;
use engine::limits::Bounds;
use engine::message::{Publication, Shared};
use engine::profile::STANDARD;
use engine::session::{Delivered, Delivery, Lifetime, Rules, Session, negotiate};
use engine::{Moment, Ticket};
use mqtt::{Connect, PacketId, Properties, QoS, TopicName, Version};

const ROOM: usize = 10_000;

#[test]
fn messages_behind_an_acknowledgement_that_waits_take_no_more_room_than_unread_ones() {
    let bounds = Bounds { outbound_buffer_bytes: ROOM, ..Bounds::default() };
    let rules = Arc::new(Rules::new(&STANDARD, STANDARD.quotas, &bounds));
    let connect = Connect {
        version: Version::V311,
        clean_start: false,
        keep_alive: 0,
        client_id: "lamp",
        properties: Properties::EMPTY,
        will: None,
        username: None,
        password: None,
    };
    let granted =
        negotiate(&connect, &rules, || unreachable!("it has a client ID")).expect("acceptable");
    let lifetime = Lifetime::Store(Ticket::NONE);
    let mut session: Session<()> =
        Session::new(rules, &granted, lifetime, None, Moment::START, None);
    let mut out = Vec::new();
    let id = PacketId::new(1).expect("not 0");
    session.acknowledge(id, QoS::AtLeastOnce, None, Ticket::new(1), &mut out);
    assert_eq!(session.expect_release(), Some(Ticket::new(1)));

    let mut deliver = |qos| {
        let access =
            Access::new(policy::Scope::new("us-west-2", "123456789012"), 0, Arc::default());
        let peer = Peer {
            principal: Principal::anonymous(),
            source: SocketAddr::from(([127, 0, 0, 1], 40_000)),
            secure: true,
            client_id: None,
            thing: None,
        };
        let topic = TopicName::parse("a").expect("valid");
        let permit = access.receive(&peer, topic, Moment::START).expect("anybody may");
        let message = Shared::new(Publication {
            topic,
            qos,
            retain: false,
            properties: Properties::EMPTY,
            payload: &[7; 1_000],
            expires: None,
        });
        let delivery = Delivery { message: &message, qos, retain: false, identifiers: &[] };
        session.deliver(&delivery, permit, Moment::START, &mut out)
    };
    let taken = (0..100).take_while(|_| deliver(QoS::AtMostOnce) == Delivered::Sent).count();
    assert_eq!(taken, ROOM / 1_010);
    assert_eq!(deliver(QoS::AtMostOnce), Delivered::NotWritable);
    assert_eq!(deliver(QoS::AtLeastOnce), Delivered::Queued);
    assert!(out.is_empty(), "{out:?}");
    session.release(Ticket::new(1), &mut out);
    assert!(out.len() > taken * 1_000 && out.len() <= ROOM, "{} bytes", out.len());
}
