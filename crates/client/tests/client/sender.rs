//! Senders over TCP and TLS, signed and not.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use client::{AccessKey, DialError, DirectMessage, SendError, Sender, SenderIdentity};
use client::{SenderOptions, Tls};
use http::{HeaderMap, HeaderName, Response};
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use identity::sigv4::{self, Payload, RequestParts, Rules, Secret, SigningKeys};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::authority::Authority;
use crate::http_server::{OK, answer, read};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const MESSAGE: DirectMessage<'static> = DirectMessage {
    client_id: "my/device",
    topic: "commands/reboot",
    confirmation: Some(true),
    timeout: Some(10),
    content_type: Some("application/json"),
    response_topic: None,
    user_properties: &[("a", "b")],
    payload_format: None,
    correlation_data: None,
    payload: b"{\"action\": \"reboot\"}",
};

fn key() -> SenderIdentity {
    SenderIdentity::AccessKey(AccessKey {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: SECRET.to_owned(),
        session_token: Some("token".to_owned()),
        region: "us-west-2".to_owned(),
    })
}

fn options(scheme: &str, port: u16, tls: Option<Tls>) -> SenderOptions {
    let url = format!("{scheme}://localhost:{port}").parse().unwrap();
    SenderOptions::new(url, SenderIdentity::Anonymous, tls)
}

async fn listen() -> (TcpListener, SenderOptions) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = options("http", listener.local_addr().unwrap().port(), None);
    (listener, options)
}

/// The signature of a request, checked as the server checks it.
fn verified(target: &str, headers: &HeaderMap, body: &[u8]) {
    let (path, query) = target.split_once('?').unwrap();
    let parts = RequestParts { method: "POST", path, query, headers };
    let claim = sigv4::claim(&parts).unwrap().expect("a signature");
    let secret = Secret { secret_access_key: SECRET, session_token: Some("token") };
    let rules = Rules {
        region: "us-west-2",
        services: &["iotdata"],
        now: claim.signed_at().unix(),
        secure: true,
        max_skew_seconds: 300,
    };
    let keys = SigningKeys::default();
    sigv4::verify(&claim, &parts, Payload::Bytes(body), &secret, &rules, &keys).unwrap();
}

#[tokio::test]
async fn a_signed_send_is_what_the_verifier_accepts() {
    let (listener, options) = listen().await;
    let mut sender = Sender::new(SenderOptions { identity: key(), ..options }).unwrap();
    assert!(!format!("{sender:?}").contains("wJalr"));
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let seen = read(&mut stream).await.unwrap();
        answer(&mut stream, "200 OK", OK).await;
        seen
    };
    let (outcome, seen) = tokio::join!(sender.send_direct_message(&MESSAGE), serve);
    let outcome = outcome.unwrap();
    assert!(outcome.is_ok() && outcome.connected_in.is_some());
    assert_eq!(outcome.message.as_deref(), Some("OK"));

    let (method, target) = seen.target();
    assert_eq!(method, "POST");
    assert!(target.starts_with("/connections/my%2Fdevice/messages?topic=commands%2Freboot&"));
    assert_eq!(seen.body, MESSAGE.payload);
    let mut headers = HeaderMap::new();
    for line in seen.head.trim_end().lines().skip(1) {
        let (name, value) = line.split_once(": ").unwrap();
        headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    }
    verified(target, &headers, &seen.body);
}

#[tokio::test]
async fn an_anonymous_send_with_an_empty_payload_says_so() {
    let (listener, options) = listen().await;
    let mut sender = Sender::new(options).unwrap();
    let message = DirectMessage { client_id: "a", topic: "b", ..DirectMessage::default() };
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let seen = read(&mut stream).await.unwrap();
        answer(&mut stream, "404 Not Found\r\nx-amzn-ErrorType: ResourceNotFoundException:", "{}")
            .await;
        seen
    };
    let (outcome, seen) = tokio::join!(sender.send_direct_message(&message), serve);
    let outcome = outcome.unwrap();
    assert_eq!(outcome.status, 404);
    assert_eq!(outcome.error_type.as_deref(), Some("ResourceNotFoundException"));
    assert_eq!(seen.header("content-length"), Some("0"));
    assert_eq!(seen.header("authorization"), None);
}

#[tokio::test]
async fn the_connection_is_kept_and_replaced_once_the_server_closed_it() {
    let (listener, options) = listen().await;
    let mut sender = Sender::new(options).unwrap();
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        for _ in 0..2 {
            read(&mut stream).await.unwrap();
            answer(&mut stream, "200 OK", OK).await;
        }
        drop(stream);
        let (mut stream, _) = listener.accept().await.unwrap();
        read(&mut stream).await.unwrap();
        answer(&mut stream, "200 OK", OK).await;
    };
    let send = async {
        for opens in [true, false, true] {
            let answer = sender.send_direct_message(&MESSAGE).await.unwrap();
            assert_eq!(answer.connected_in.is_some(), opens);
            // Time for the close to arrive.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::join!(send, serve);
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_answer_is_an_error_and_no_repetition() {
    let (listener, options) = listen().await;
    let mut sender = Sender::new(options).unwrap();
    let serve = async {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().await.unwrap();
            read(&mut stream).await.unwrap();
        }
    };
    let send = async {
        for _ in 0..2 {
            let error = sender.send_direct_message(&MESSAGE).await.unwrap_err();
            assert!(matches!(error, SendError::Broken { .. }), "{error:?}");
        }
    };
    tokio::join!(send, serve);
}

#[tokio::test]
async fn what_is_no_http_is_an_error() {
    let (listener, options) = listen().await;
    let mut sender = Sender::new(options).unwrap();
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        read(&mut stream).await.unwrap();
        stream.write_all(b"\x10\x00 this is MQTT, maybe\r\n\r\n").await.unwrap();
    };
    let (outcome, ()) = tokio::join!(sender.send_direct_message(&MESSAGE), serve);
    assert!(matches!(outcome, Err(SendError::Broken { .. })), "{outcome:?}");
}

#[tokio::test]
async fn an_answer_that_does_not_end_is_refused() {
    let (listener, options) = listen().await;
    let mut sender = Sender::new(options).unwrap();
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        read(&mut stream).await.unwrap();
        let body = "x".repeat(2 * 1024 * 1024);
        let text = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        // The sender closes in the middle.
        let _ = stream.write_all(text.as_bytes()).await;
    };
    let (outcome, ()) = tokio::join!(sender.send_direct_message(&MESSAGE), serve);
    assert!(matches!(outcome, Err(SendError::AnswerTooLong(_))), "{outcome:?}");
}

#[tokio::test]
async fn what_is_posted_is_answered_by_the_head_whatever_the_body() {
    let (listener, options) = listen().await;
    let mut sender = Sender::new(options).unwrap();
    let large = "x".repeat(2 * 1024 * 1024);
    let heads = [
        (format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{large}", large.len()), 1 << 20),
        ("HTTP/1.1 503 No\r\nContent-Length: 10\r\n\r\nabc".to_owned(), 3),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n".to_owned(), 0),
        ("HTTP/1.1 204 No Content\r\n\r\n".to_owned(), 0),
    ];
    let serve = async {
        let mut open = Vec::new();
        for (text, _) in &heads {
            let (mut stream, _) = listener.accept().await.unwrap();
            read(&mut stream).await.unwrap();
            // The sender closes in the middle.
            let _ = stream.write_all(text.as_bytes()).await;
            // It says nothing more, and does not close.
            open.push(stream);
        }
    };
    let post = async {
        for (text, length) in &heads {
            let (headers, body) = (HeaderMap::new(), Bytes::from_static(b"{}"));
            let answer = sender.post("/hook", &headers, &body).await.expect("a head came");
            assert!(text.starts_with(&format!("HTTP/1.1 {} ", answer.status().as_u16())));
            assert_eq!(answer.body().len(), *length);
        }
    };
    tokio::join!(post, serve);
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_given_up() {
    let (listener, options) = listen().await;
    let answer_timeout = Duration::from_millis(50);
    let mut sender = Sender::new(SenderOptions { answer_timeout, ..options }).unwrap();
    let error = sender.send_direct_message(&MESSAGE).await.unwrap_err();
    assert!(error.to_string().contains("did not answer within 0.05 s"), "{error}");
    drop(listener);
}

#[tokio::test]
async fn nobody_listening_is_an_error_that_names_the_endpoint() {
    let (listener, options) = listen().await;
    let endpoint = options.url.endpoint().to_string();
    drop(listener);
    let error = Sender::new(options).unwrap().send_direct_message(&MESSAGE).await.unwrap_err();
    assert!(matches!(error, SendError::Dial(DialError::Tcp { .. })));
    assert!(error.to_string().contains(&endpoint), "{error}");
}

#[test]
fn https_needs_an_authority_to_believe() {
    let error = Sender::new(options("https", 9443, None)).unwrap_err();
    assert!(matches!(error, SendError::NoTls(_)));
}

#[tokio::test]
async fn a_client_certificate_sends_over_mutual_tls() {
    let authority = Authority::new();
    let server = authority.serve(true, &["x-amzn-http-ca"]).await;
    let own = authority.sign("gateway");
    let tls = authority.client(Some(&own), &["x-amzn-http-ca"]);
    let identity = SenderIdentity::Certificate;
    let options = SenderOptions { identity, ..options("https", server.port(), Some(tls)) };
    let mut sender = Sender::new(options).unwrap();
    let serve = async {
        let mut stream = server.accept().await.unwrap();
        assert!(stream.get_ref().1.peer_certificates().is_some());
        let seen = read(&mut stream).await.unwrap();
        assert_eq!(seen.header("authorization"), None);
        answer(&mut stream, "200 OK", OK).await;
    };
    let (outcome, ()) = tokio::join!(sender.send_direct_message(&MESSAGE), serve);
    assert!(outcome.unwrap().is_ok());
}

#[tokio::test]
async fn http_2_is_spoken_when_the_server_chooses_it_and_the_signature_holds() {
    let authority = Authority::new();
    let server = authority.serve(false, &["h2"]).await;
    let tls = authority.client(None, &["h2", "http/1.1"]);
    let options = SenderOptions { identity: key(), ..options("https", server.port(), Some(tls)) };
    let mut sender = Sender::new(options).unwrap();
    let serve = async {
        let stream = server.accept().await.unwrap();
        let service = service_fn(|request: http::Request<hyper::body::Incoming>| async move {
            let (parts, body) = request.into_parts();
            assert_eq!(parts.version, http::Version::HTTP_2);
            let mut headers = parts.headers;
            let authority = parts.uri.authority().unwrap().as_str().parse().unwrap();
            headers.insert("host", authority);
            let body = body.collect().await.unwrap().to_bytes();
            verified(parts.uri.path_and_query().unwrap().as_str(), &headers, &body);
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(OK)))
        });
        let io = TokioIo::new(stream);
        hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .serve_connection(io, service)
            .await
            .unwrap();
    };
    let send = async move {
        for opens in [true, false] {
            let answer = sender.send_direct_message(&MESSAGE).await.unwrap();
            assert_eq!((answer.status, answer.connected_in.is_some()), (200, opens));
        }
    };
    tokio::join!(send, serve);
}
