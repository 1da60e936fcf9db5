//! Devices over TCP and TLS.

use client::{ConnectError, Device, DeviceOptions, DialError, Event, Step, Tls};
use mqtt::{ConnAck, Packet, Properties, ReasonCode, Version};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::authority::Authority;

fn options(port: u16, tls: Option<Tls>) -> DeviceOptions {
    let endpoint = format!("localhost:{port}").parse().unwrap();
    DeviceOptions { tls, ..DeviceOptions::new(endpoint, "myDevice") }
}

/// Accepts whatever CONNECT comes, and closes.
async fn accept_mqtt(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut buffer = [0; 256];
    assert_ne!(stream.read(&mut buffer).await.unwrap(), 0);
    let (reason, properties) = (ReasonCode::Success, Properties::EMPTY);
    let mut bytes = Vec::new();
    let packet = Packet::ConnAck(ConnAck { session_present: false, reason, properties });
    packet.encode(Version::V5, &mut bytes).unwrap();
    stream.write_all(&bytes).await.unwrap();
    stream.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_device_connects_over_tcp() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = options(listener.local_addr().unwrap().port(), None);
    let serve = async { accept_mqtt(listener.accept().await.unwrap().0).await };
    let (outcome, ()) = tokio::join!(Device::connect(&options), serve);
    let (mut device, connected) = outcome.unwrap();
    assert!(!connected.session_present);
    assert!(matches!(device.next().await, Ok(Event::Disconnected(_))));
}

#[tokio::test]
async fn a_device_connects_over_mutual_tls_and_alpn() {
    let authority = Authority::new();
    let own = authority.sign("device");
    let server = authority.serve(true, &["x-amzn-mqtt-ca"]).await;
    let tls = authority.client(Some(&own), &["x-amzn-mqtt-ca"]);
    let options = options(server.port(), Some(tls));
    let serve = async {
        let stream = server.accept().await.unwrap();
        let (_, tls) = stream.get_ref();
        assert_eq!(tls.alpn_protocol(), Some(&b"x-amzn-mqtt-ca"[..]));
        assert_eq!(tls.peer_certificates().unwrap().len(), 1);
        accept_mqtt(stream).await;
    };
    let (outcome, ()) = tokio::join!(Device::connect(&options), serve);
    outcome.unwrap();
}

#[tokio::test]
async fn a_server_of_another_authority_is_not_believed() {
    let server = Authority::new().serve(false, &[]).await;
    let options = options(server.port(), Some(Authority::new().client(None, &[])));
    let (outcome, _) = tokio::join!(Device::connect(&options), server.accept());
    let error = outcome.unwrap_err();
    assert!(matches!(error, ConnectError::Dial(DialError::Tls { .. })), "{error:?}");
    assert!(error.to_string().contains("invalid peer certificate"), "{error}");
}

#[tokio::test]
async fn a_certificate_that_the_server_rejects_is_said_to_be() {
    let authority = Authority::new();
    let stranger = Authority::new().sign("device");
    for own in [None, Some(&stranger)] {
        let server = authority.serve(true, &[]).await;
        let options = options(server.port(), Some(authority.client(own, &[])));
        let (outcome, _) = tokio::join!(Device::connect(&options), server.accept());
        let error = outcome.unwrap_err();
        assert!(matches!(error, ConnectError::CertificateRejected(_)), "{error:?}");
    }
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = Device::connect(&options(port, None)).await.unwrap_err().to_string();
    assert!(error.contains(&format!("cannot connect to localhost:{port}")), "{error}");
}

#[tokio::test]
async fn a_host_that_does_not_exist_is_named() {
    let endpoint = "does-not-exist.invalid:1".parse().unwrap();
    let error = Device::connect(&DeviceOptions::new(endpoint, "a")).await.unwrap_err();
    assert!(error.to_string().contains("does-not-exist.invalid:1"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_silent_in_the_handshake_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let options = DeviceOptions {
        connect_timeout: std::time::Duration::from_millis(50),
        ..options(port, Some(Authority::new().client(None, &[])))
    };
    let error = Device::connect(&options).await.unwrap_err();
    let step = Step::Tls;
    assert!(
        matches!(&error, ConnectError::Dial(DialError::TimedOut { step: s, .. }) if *s == step),
        "{error:?}"
    );
}
