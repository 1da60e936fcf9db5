//! The two permissions that a direct message needs.

use std::hint::black_box;
use std::net::SocketAddr;
use std::sync::Arc;

use engine::Moment;
use engine::access::{Access, Peer};
use engine::directory::{Grants, Principal, PrincipalKind, Status};
use mqtt::{ClientId, TopicName};
use policy::{Document, PolicySet, Scope};

/// What a backend is usually given.
const SENDER: &str = r#"{ "Version": "2012-10-17", "Statement": [ {
    "Effect": "Allow",
    "Action": "iot:SendDirectMessage",
    "Resource": "arn:aws:iot:us-west-2:123456789012:client/lamp-*",
    "Condition": { "StringLike": { "iot:Topic": "commands/*" } }
} ] }"#;

/// What a device is usually given.
const DEVICE: &str = r#"{ "Version": "2012-10-17", "Statement": [ {
    "Effect": "Allow",
    "Action": "iot:Connect",
    "Resource": "arn:aws:iot:us-west-2:123456789012:client/${iot:ClientId}"
}, {
    "Effect": "Allow",
    "Action": ["iot:Publish", "iot:Receive"],
    "Resource": [
        "arn:aws:iot:us-west-2:123456789012:topic/devices/${iot:ClientId}/*",
        "arn:aws:iot:us-west-2:123456789012:topic/commands/*"
    ]
} ] }"#;

/// Asks whether the sender may send to the device, and whether the device may receive it.
pub(crate) fn send_and_receive(iterations: u32) {
    let access =
        Access::new(Scope::new("us-west-2", "123456789012"), 1_800_000_000, Arc::default());
    let lamp = ClientId::parse("lamp-0001").expect("the client ID is valid");
    let sender = peer(PrincipalKind::AccessKey, SENDER, None);
    let device = peer(PrincipalKind::Certificate, DEVICE, Some(lamp.clone()));
    let topic = TopicName::parse("commands/reboot").expect("it has no wildcards");
    for _ in 0..iterations {
        let send = access.send_direct(black_box(&sender), &lamp, black_box(topic), Moment::START);
        black_box(send).expect("the sender may send");
        let receive = access.receive(black_box(&device), black_box(topic), Moment::START);
        black_box(receive).expect("the device may receive");
    }
}

fn peer(kind: PrincipalKind, policy: &str, client_id: Option<ClientId>) -> Peer {
    let document = Document::parse(policy).expect("the policy is well-formed");
    let grants = Grants {
        status: Status::Active,
        policies: PolicySet::new(vec![("usual".to_owned(), Arc::new(document))]),
        things: Vec::new(),
        exclusive_thing: None,
    };
    let attributes = std::iter::empty::<(String, Vec<String>)>().collect();
    Peer {
        principal: Principal::new("principal", kind, attributes, grants),
        source: SocketAddr::from(([203, 0, 113, 9], 40_000)),
        secure: true,
        client_id,
        thing: None,
    }
}
