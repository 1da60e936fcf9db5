//! A direct message through a device's session.

use std::hint::black_box;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use engine::Moment;
use engine::access::{Access, Peer};
use engine::direct::{DirectMessage, Settlement};
use engine::directory::Principal;
use engine::limits::{Bounds, Quotas};
use engine::profile::AWS;
use engine::session::{Lifetime, Rules, Session, Step, negotiate};
use mqtt::{Ack, ClientId, Connect, Packet, PacketId, Properties, ReasonCode, TopicName, Version};

/// Slow enough for the session's rate of 100 messages a second.
const PACE: Duration = Duration::from_millis(20);

/// Sends a confirmed direct message and settles it with its PUBACK, after asking for the permit of
/// a device that may receive everything.
pub(crate) fn send_and_acknowledge(iterations: u32) {
    let access =
        Access::new(policy::Scope::new("us-west-2", "123456789012"), 1_800_000_000, Arc::default());
    let device = device();
    let mut now = Moment::START;
    let mut session = session(now);
    let mut out = Vec::with_capacity(1024);
    let message = DirectMessage {
        topic: TopicName::parse("commands/reboot").expect("it has no wildcards"),
        payload: &[b'x'; 256],
        properties: Properties::EMPTY,
        optional: None,
        confirmation: Some(Duration::from_secs(10)),
        deadline: None,
    };
    for waiter in 0..iterations {
        now = now.after(PACE);
        out.clear();
        let permit = access.receive(&device, message.topic, now).expect("it may do everything");
        let sent = session.send_direct(black_box(&message), permit, || waiter, now, &mut out);
        black_box(sent).expect("nothing stands in its way");
        black_box(&out);
        let packet_id = PacketId::new((waiter % 65_535) as u16 + 1).expect("it is at least 1");
        let (reason, properties) = (ReasonCode::Success, Properties::EMPTY);
        let puback = Packet::PubAck(black_box(Ack { packet_id, reason, properties }));
        let step = session.handle_packet(puback, now, &mut out);
        let settled =
            matches!(step, Step::Settled(it, Settlement::Acknowledged { .. }) if it == waiter);
        assert!(settled, "packet IDs count up from 1, and yet: {step:?}");
    }
}

fn device() -> Peer {
    Peer {
        principal: Principal::anonymous(),
        source: SocketAddr::from(([127, 0, 0, 1], 40_000)),
        secure: true,
        client_id: Some(ClientId::parse("lamp-0001").expect("the client ID is valid")),
        thing: None,
    }
}

fn session(now: Moment) -> Session<u32> {
    let rules = Arc::new(Rules::new(&AWS, Quotas::default(), &Bounds::default()));
    let connect = Connect {
        version: Version::V5,
        clean_start: true,
        keep_alive: 60,
        client_id: "lamp-0001",
        properties: Properties::EMPTY,
        will: None,
        username: None,
        password: None,
    };
    let granted = negotiate(&connect, &rules, || unreachable!("it has a client ID"));
    let granted = granted.expect("the terms are acceptable");
    Session::new(rules, &granted, Lifetime::Connection, None, now, None)
}
