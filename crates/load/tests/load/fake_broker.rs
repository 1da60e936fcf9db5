//! A broker of a few lines, with a thread for each connection.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use mqtt::{
    Ack, AckKind, ConnAck, Packet, PacketId, Properties, Publish, QoS, ReasonCode, SubAck, Version,
    decode,
};

/// What the broker does with every tenth message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tenth {
    Delivered,
    Lost,
    Doubled,
}

/// Who gets what: the subscribers of each topic, with the packet ID that each had last.
type Subscribers = Arc<Mutex<HashMap<String, Vec<(TcpStream, Version, u16)>>>>;

/// Starts one; its threads end with the test's process.
pub fn start(tenth: Tenth) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let subscribers = Subscribers::default();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let subscribers = Arc::clone(&subscribers);
            thread::spawn(move || serve(stream, tenth, &subscribers));
        }
    });
    address
}

fn serve(mut stream: TcpStream, tenth: Tenth, subscribers: &Subscribers) {
    stream.set_nodelay(true).unwrap();
    let (mut bytes, mut version, mut count) = (Vec::new(), Version::V5, 0_u64);
    let mut buffer = [0; 4096];
    while let Some(read) = stream.read(&mut buffer).ok().filter(|read| *read > 0) {
        bytes.extend_from_slice(&buffer[..read]);
        let (mut used, mut out) = (0, Vec::new());
        while let Some((packet, len)) = decode(&bytes[used..], version, 1 << 20).unwrap() {
            used += len;
            let (reason, properties) = (ReasonCode::Success, Properties::EMPTY);
            match packet {
                Packet::Connect(connect) => {
                    version = connect.version;
                    let connack = ConnAck { session_present: false, reason, properties };
                    connack.encode(version, &mut out).unwrap();
                }
                Packet::Subscribe(subscribe) => {
                    let (topic, options) = subscribe.filters[0];
                    let granted = match options.qos {
                        QoS::AtMostOnce => ReasonCode::Success,
                        QoS::AtLeastOnce | QoS::ExactlyOnce => ReasonCode::GrantedQoS1,
                    };
                    let packet_id = subscribe.packet_id;
                    let suback = SubAck { packet_id, properties, reasons: vec![granted] };
                    suback.encode(version, &mut out).unwrap();
                    let subscriber = (stream.try_clone().unwrap(), version, 0);
                    let mut subscribers = subscribers.lock().unwrap();
                    subscribers.entry(topic.to_owned()).or_default().push(subscriber);
                }
                Packet::Publish(publish) => {
                    count += 1;
                    forward(
                        &publish,
                        if count % 10 == 0 { tenth } else { Tenth::Delivered },
                        subscribers,
                    );
                    if let Some(packet_id) = publish.packet_id {
                        let ack = Ack { packet_id, reason, properties };
                        ack.encode(AckKind::PubAck, version, &mut out).unwrap();
                    }
                }
                Packet::PubAck(_) => {}
                Packet::ConnAck(_)
                | Packet::PubRec(_)
                | Packet::PubRel(_)
                | Packet::PubComp(_)
                | Packet::SubAck(_)
                | Packet::Unsubscribe(_)
                | Packet::UnsubAck(_)
                | Packet::PingReq
                | Packet::PingResp
                | Packet::Disconnect(_)
                | Packet::Auth(_) => panic!("a {} from a client", packet.name()),
            }
        }
        bytes.drain(..used);
        // The generator may have gone away at the end of a run.
        let _ = stream.write_all(&out);
    }
}

fn forward(publish: &Publish<'_>, fate: Tenth, subscribers: &Subscribers) {
    let times = match fate {
        Tenth::Delivered => 1,
        Tenth::Lost => 0,
        Tenth::Doubled => 2,
    };
    let mut subscribers = subscribers.lock().unwrap();
    let of_topic = subscribers.get_mut(publish.topic.unwrap().as_str());
    for (stream, version, last_id) in of_topic.into_iter().flatten() {
        for _ in 0..times {
            *last_id = last_id.checked_add(1).unwrap_or(1);
            let packet_id = publish.packet_id.and_then(|_| PacketId::new(*last_id));
            let mut bytes = Vec::new();
            Publish { packet_id, ..*publish }.encode(*version, &mut bytes).unwrap();
            let _ = stream.write_all(&bytes);
        }
    }
}
