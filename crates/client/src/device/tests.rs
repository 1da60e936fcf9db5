//! The device against a server that the test plays, packet by packet.

use std::time::Duration;

use bytes::{Buf, BytesMut};
use mqtt::{Ack, ConnAck, Disconnect, Packet, PacketId, Properties, PropertiesBuf, Property};
use mqtt::{Publish, QoS, ReasonCode, SubAck, TopicName, UnsubAck, Version};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{Instant, timeout};

use super::{ConnectError, Connected, Device, DeviceError, DeviceOptions, Ending, Event, Outgoing};

const PIPE_BYTES: usize = 1024;

/// The server's end of the wire.
struct FakeServer {
    stream: DuplexStream,
    read: BytesMut,
    version: Version,
}

impl FakeServer {
    /// Reads the next packet and looks at it.
    async fn expect<T>(&mut self, look: impl FnOnce(&Packet<'_>) -> T) -> T {
        loop {
            if let Some((packet, len)) = mqtt::decode(&self.read, self.version, 1 << 20).unwrap() {
                let seen = look(&packet);
                self.read.advance(len);
                return seen;
            }
            assert_ne!(self.stream.read_buf(&mut self.read).await.unwrap(), 0, "end of stream");
        }
    }

    async fn expect_name(&mut self, name: &str) {
        self.expect(|packet| assert_eq!(packet.name(), name)).await;
    }

    async fn send(&mut self, packet: Packet<'_>) {
        let mut bytes = Vec::new();
        packet.encode(self.version, &mut bytes).unwrap();
        self.stream.write_all(&bytes).await.unwrap();
    }

    async fn publish(&mut self, id: Option<PacketId>, payload: &[u8]) {
        let qos = if id.is_some() { QoS::AtLeastOnce } else { QoS::AtMostOnce };
        self.send(publish(qos, id, payload)).await;
    }
}

fn publish(qos: QoS, packet_id: Option<PacketId>, payload: &[u8]) -> Packet<'_> {
    Packet::Publish(Publish {
        dup: false,
        qos,
        retain: false,
        topic: Some(TopicName::parse("commands/reboot").unwrap()),
        packet_id,
        properties: Properties::EMPTY,
        payload,
    })
}

fn accepted() -> ConnAck<'static> {
    ConnAck { session_present: false, reason: ReasonCode::Success, properties: Properties::EMPTY }
}

fn id(number: u16) -> PacketId {
    PacketId::new(number).unwrap()
}

fn options(version: Version) -> DeviceOptions {
    let endpoint = "localhost:1".parse().unwrap();
    DeviceOptions { version, ..DeviceOptions::new(endpoint, "myDevice") }
}

fn wire(version: Version) -> (Box<DuplexStream>, FakeServer) {
    let (stream, server) = duplex(PIPE_BYTES);
    (Box::new(stream), FakeServer { stream: server, read: BytesMut::new(), version })
}

async fn connect_with(
    options: DeviceOptions,
    answer: ConnAck<'_>,
) -> (Result<(Device, Connected), ConnectError>, FakeServer) {
    let (stream, mut server) = wire(options.version);
    let serve = async {
        server.expect_name("CONNECT").await;
        server.send(Packet::ConnAck(answer)).await;
    };
    let (outcome, ()) = tokio::join!(Device::open(stream, &options, Instant::now()), serve);
    (outcome, server)
}

async fn connected(version: Version) -> (Device, FakeServer) {
    let (outcome, server) = connect_with(options(version), accepted()).await;
    (outcome.unwrap().0, server)
}

#[tokio::test]
async fn connect_says_what_the_options_say() {
    let options = DeviceOptions {
        keep_alive: 30,
        clean_start: false,
        username: Some("name".to_owned()),
        password: Some(b"secret".to_vec()),
        receive_maximum: Some(7),
        maximum_packet_size: Some(1000),
        session_expiry: Some(60),
        ..options(Version::V5)
    };
    assert!(!format!("{options:?}").contains("secret"));
    let (stream, mut server) = wire(Version::V5);
    let serve = async {
        server
            .expect(|packet| {
                let Packet::Connect(connect) = packet else { panic!("{packet:?}") };
                assert_eq!((connect.client_id, connect.keep_alive), ("myDevice", 30));
                assert!(!connect.clean_start);
                assert_eq!(connect.username, Some("name"));
                assert_eq!(connect.password, Some(&b"secret"[..]));
                assert_eq!(connect.properties.receive_maximum(), Some(7));
                assert_eq!(connect.properties.maximum_packet_size(), Some(1000));
                assert_eq!(connect.properties.session_expiry_interval(), Some(60));
            })
            .await;
        let mut properties = PropertiesBuf::new();
        properties.push(Property::ServerKeepAlive(20)).unwrap();
        properties.push(Property::AssignedClientIdentifier("given")).unwrap();
        let properties = properties.as_properties();
        server.send(Packet::ConnAck(ConnAck { properties, ..accepted() })).await;
    };
    let (outcome, ()) = tokio::join!(Device::open(stream, &options, Instant::now()), serve);
    let (_, connected) = outcome.unwrap();
    assert_eq!(connected.keep_alive, 20);
    assert_eq!(connected.assigned_client_id.as_deref(), Some("given"));
}

#[tokio::test]
async fn a_refusal_carries_reason_and_words() {
    let mut properties = PropertiesBuf::new();
    properties.push(Property::ReasonString("no iot:Connect")).unwrap();
    let answer = ConnAck {
        reason: ReasonCode::NotAuthorized,
        properties: properties.as_properties(),
        ..accepted()
    };
    let (outcome, _) = connect_with(options(Version::V5), answer).await;
    let error = outcome.unwrap_err();
    let expected = "the server refused the connection: NotAuthorized (0x87): no iot:Connect";
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn a_return_code_of_3_1_1_is_a_refusal_as_well() {
    let answer = ConnAck { reason: ReasonCode::NotAuthorized, ..accepted() };
    let (outcome, _) = connect_with(options(Version::V311), answer).await;
    let error = outcome.unwrap_err();
    let expected = ReasonCode::NotAuthorized;
    assert!(matches!(error, ConnectError::Refused { reason, .. } if reason == expected));
}

#[tokio::test]
async fn a_server_that_closes_instead_of_answering_is_told_apart() {
    let (stream, server) = wire(Version::V5);
    drop(server);
    let error = Device::open(stream, &options(Version::V5), Instant::now()).await.unwrap_err();
    assert!(matches!(error, ConnectError::Closed | ConnectError::Exchange(_)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_given_up() {
    let (stream, _server) = wire(Version::V5);
    let error = Device::open(stream, &options(Version::V5), Instant::now()).await.unwrap_err();
    assert!(matches!(error, ConnectError::NoAnswer));
}

#[tokio::test]
async fn another_packet_than_connack_is_refused() {
    let (stream, mut server) = wire(Version::V5);
    server.send(Packet::PingResp).await;
    let error = Device::open(stream, &options(Version::V5), Instant::now()).await.unwrap_err();
    assert_eq!(error.to_string(), "the server sent an unexpected PINGRESP");
}

#[tokio::test]
async fn a_message_is_handed_over_and_acknowledged_by_hand() {
    for version in [Version::V311, Version::V5] {
        let (mut device, mut server) = connected(version).await;
        server.publish(Some(id(9)), b"payload").await;
        let Event::Message(message) = device.next().await.unwrap() else { panic!() };
        assert_eq!(message.topic, "commands/reboot");
        assert_eq!(message.payload, &b"payload"[..]);
        assert_eq!((message.qos, message.packet_id), (QoS::AtLeastOnce, Some(id(9))));
        device.acknowledge(id(9), ReasonCode::Success).await.unwrap();
        server
            .expect(|packet| {
                let Packet::PubAck(ack) = packet else { panic!("{packet:?}") };
                assert_eq!(ack.packet_id, id(9));
            })
            .await;
    }
}

#[tokio::test]
async fn properties_of_a_message_are_kept() {
    let (mut device, mut server) = connected(Version::V5).await;
    let mut properties = PropertiesBuf::new();
    properties.push(Property::ContentType("text/plain")).unwrap();
    properties.push(Property::UserProperty("a", "b")).unwrap();
    let Packet::Publish(packet) = publish(QoS::AtMostOnce, None, b"x") else { panic!() };
    let properties_sent = properties.as_properties();
    server.send(Packet::Publish(Publish { properties: properties_sent, ..packet })).await;
    let Event::Message(message) = device.next().await.unwrap() else { panic!() };
    assert_eq!(message.properties, properties);
}

#[tokio::test]
async fn a_refusing_acknowledgement_exists_only_in_version_5() {
    let (mut device, mut server) = connected(Version::V5).await;
    device.acknowledge(id(1), ReasonCode::QuotaExceeded).await.unwrap();
    server
        .expect(|packet| {
            let Packet::PubAck(ack) = packet else { panic!("{packet:?}") };
            assert_eq!(ack.reason, ReasonCode::QuotaExceeded);
        })
        .await;
    let (mut device, _server) = connected(Version::V311).await;
    let error = device.acknowledge(id(1), ReasonCode::QuotaExceeded).await.unwrap_err();
    assert!(matches!(error, DeviceError::Unsendable(_)));
}

#[tokio::test]
async fn a_packet_larger_than_the_pipe_arrives_whole() {
    let (mut device, mut server) = connected(Version::V5).await;
    let payload = vec![7; 100 * PIPE_BYTES];
    let send = server.publish(None, &payload);
    let (event, ()) = tokio::join!(device.next(), send);
    let Event::Message(message) = event.unwrap() else { panic!() };
    assert_eq!(message.payload, payload);
}

#[tokio::test]
async fn next_may_be_dropped_in_the_middle_of_a_packet() {
    let (mut device, mut server) = connected(Version::V5).await;
    let mut bytes = Vec::new();
    publish(QoS::AtMostOnce, None, b"payload").encode(Version::V5, &mut bytes).unwrap();
    for byte in bytes {
        let early = timeout(Duration::from_millis(1), device.next()).await;
        assert!(early.is_err(), "{early:?}");
        server.stream.write_all(&[byte]).await.unwrap();
    }
    let Event::Message(message) = device.next().await.unwrap() else { panic!() };
    assert_eq!(message.payload, &b"payload"[..]);
}

#[tokio::test]
async fn publish_waits_for_its_acknowledgement_and_keeps_what_comes_before() {
    let (mut device, mut server) = connected(Version::V5).await;
    let message = Outgoing {
        topic: "telemetry/a",
        payload: b"1",
        qos: QoS::AtLeastOnce,
        retain: false,
        properties: Properties::EMPTY,
    };
    let serve = async {
        let packet_id = server
            .expect(|packet| {
                let Packet::Publish(publish) = packet else { panic!("{packet:?}") };
                publish.packet_id.unwrap()
            })
            .await;
        server.publish(None, b"meanwhile").await;
        let reason = ReasonCode::NoMatchingSubscribers;
        let other = PacketId::new(packet_id.get() + 1).unwrap();
        for (packet_id, reason) in [(other, ReasonCode::Success), (packet_id, reason)] {
            let properties = Properties::EMPTY;
            server.send(Packet::PubAck(Ack { packet_id, reason, properties })).await;
        }
    };
    let (reason, ()) = tokio::join!(device.publish(message), serve);
    assert_eq!(reason.unwrap(), ReasonCode::NoMatchingSubscribers);
    let Event::Message(message) = device.next().await.unwrap() else { panic!() };
    assert_eq!(message.payload, &b"meanwhile"[..]);
}

#[tokio::test]
async fn what_cannot_be_published_or_subscribed_is_refused_before_sending() {
    let (mut device, _server) = connected(Version::V5).await;
    let message = Outgoing {
        topic: "a/#",
        payload: b"",
        qos: QoS::AtMostOnce,
        retain: false,
        properties: Properties::EMPTY,
    };
    assert!(matches!(device.publish(message).await, Err(DeviceError::Topic(_))));
    let twice = Outgoing { topic: "a", qos: QoS::ExactlyOnce, ..message };
    assert!(matches!(device.publish(twice).await, Err(DeviceError::Unsupported(_))));
    let filters = [("a", QoS::ExactlyOnce)];
    assert!(matches!(device.subscribe(&filters).await, Err(DeviceError::Unsupported(_))));
}

#[tokio::test]
async fn subscribe_and_unsubscribe_return_the_reasons() {
    let (mut device, mut server) = connected(Version::V5).await;
    let serve = async {
        let packet_id = server
            .expect(|packet| {
                let Packet::Subscribe(subscribe) = packet else { panic!("{packet:?}") };
                assert_eq!(subscribe.filters[0].0, "a/#");
                assert_eq!(subscribe.filters[0].1.qos, QoS::AtLeastOnce);
                subscribe.packet_id
            })
            .await;
        let reasons = vec![ReasonCode::GrantedQoS1];
        let properties = Properties::EMPTY;
        server.send(Packet::SubAck(SubAck { packet_id, properties, reasons })).await;
        let packet_id = server
            .expect(|packet| {
                let Packet::Unsubscribe(unsubscribe) = packet else { panic!("{packet:?}") };
                unsubscribe.packet_id
            })
            .await;
        let reasons = vec![ReasonCode::NoSubscriptionExisted];
        server.send(Packet::UnsubAck(UnsubAck { packet_id, properties, reasons })).await;
    };
    let ask = async {
        let granted = device.subscribe(&[("a/#", QoS::AtLeastOnce)]).await.unwrap();
        assert_eq!(granted, [ReasonCode::GrantedQoS1]);
        let gone = device.unsubscribe(&["a/#"]).await.unwrap();
        assert_eq!(gone, [ReasonCode::NoSubscriptionExisted]);
    };
    tokio::join!(ask, serve);
}

#[tokio::test]
async fn the_end_of_the_connection_is_reported_every_time() {
    let (mut device, mut server) = connected(Version::V5).await;
    let reason = ReasonCode::SessionTakenOver;
    let properties = Properties::EMPTY;
    server.send(Packet::Disconnect(Disconnect { reason, properties })).await;
    for _ in 0..2 {
        let ending = Ending::Told { reason, text: None };
        assert_eq!(device.next().await.unwrap(), Event::Disconnected(ending));
    }
    let error = device.subscribe(&[("a", QoS::AtMostOnce)]).await.unwrap_err();
    assert_eq!(error.to_string(), "the server said SessionTakenOver (0x8E)");

    let (mut device, server) = connected(Version::V311).await;
    drop(server);
    assert_eq!(device.next().await.unwrap(), Event::Disconnected(Ending::Closed));
}

#[tokio::test]
async fn what_no_server_may_send_is_an_error() {
    for packet in [Packet::PingReq, publish(QoS::ExactlyOnce, Some(id(1)), b"")] {
        let (mut device, mut server) = connected(Version::V5).await;
        server.send(packet).await;
        assert!(matches!(device.next().await, Err(DeviceError::Unexpected(_))));
    }
    let (mut device, mut server) = connected(Version::V5).await;
    server.stream.write_all(&[0x00, 0x00]).await.unwrap();
    assert!(matches!(device.next().await, Err(DeviceError::Malformed(_))));
}

#[tokio::test]
async fn a_packet_above_the_devices_maximum_is_an_error() {
    let options = DeviceOptions { maximum_packet_size: Some(64), ..options(Version::V5) };
    let (outcome, mut server) = connect_with(options, accepted()).await;
    let mut device = outcome.unwrap().0;
    server.publish(None, &[0; 64]).await;
    assert!(matches!(device.next().await, Err(DeviceError::Malformed(_))));
}

#[tokio::test(start_paused = true)]
async fn silence_is_filled_with_pings() {
    let (mut device, mut server) = connected(Version::V5).await;
    let serve = async {
        for _ in 0..3 {
            let asked = Instant::now();
            server.expect_name("PINGREQ").await;
            assert_eq!(asked.elapsed().as_secs(), 45, "three quarters of 60 s");
            server.send(Packet::PingResp).await;
        }
    };
    tokio::select! {
        event = device.next() => panic!("{event:?}"),
        () = serve => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_ping_without_an_answer_ends_the_wait() {
    let (mut device, _server) = connected(Version::V5).await;
    assert!(matches!(device.next().await, Err(DeviceError::Silent)));
}

#[tokio::test(start_paused = true)]
async fn without_a_keep_alive_time_there_are_no_pings() {
    let options = DeviceOptions { keep_alive: 0, ..options(Version::V5) };
    let (outcome, _server) = connect_with(options, accepted()).await;
    let mut device = outcome.unwrap().0;
    assert!(timeout(Duration::from_secs(100_000), device.next()).await.is_err());
}

#[tokio::test]
async fn disconnect_says_goodbye() {
    let (device, mut server) = connected(Version::V5).await;
    device.disconnect().await.unwrap();
    server.expect_name("DISCONNECT").await;
    assert_eq!(server.stream.read(&mut [0]).await.unwrap(), 0);
}
