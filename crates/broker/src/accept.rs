//! From an authenticated transport to a connected device.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use engine::access::Peer;
use engine::directory::Principal;
use engine::session::{Granted, Refusal, negotiate};
use mqtt::{ClientId, Connect, Packet, ReasonCode, Version};
use telemetry::Quota;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::driver::Driver;
use crate::events::ConnectEnd;
use crate::node::Node;
use crate::{Transport, takeover};

/// How a client came in.
#[derive(Clone, Debug)]
pub struct Entrance {
    /// Who it proved to be.
    pub principal: Arc<Principal>,
    /// Where it calls from.
    pub source: SocketAddr,
    /// Whether the transport is encrypted.
    pub secure: bool,
    /// How long the connection may live, if there is a bound (WebSocket, spec 3).
    pub life: Option<Duration>,
}

/// The most bytes of a CONNECT packet; before it the client is nobody yet.
const CONNECT_BYTES: usize = 256 * 1024;

/// Serves one MQTT connection until it ends: waits for CONNECT, grants or refuses it, then reads.
pub async fn serve(node: Arc<Node>, io: Box<dyn Transport>, entrance: Entrance) {
    // Boxed so that the task of a connection that is established stays small.
    if let Some(driver) = Box::pin(admit(node, io, entrance)).await {
        driver.await;
    }
}

/// The next step for a connection that sent its CONNECT.
enum Verdict {
    Granted(Box<Granted>, Arc<Peer>),
    Refused(Option<Refusal>, ConnectEnd),
}

async fn admit(node: Arc<Node>, mut io: Box<dyn Transport>, entrance: Entrance) -> Option<Driver> {
    let mut received = Vec::with_capacity(512);
    let reading = read_connect(&mut io, &mut received);
    let length = match tokio::time::timeout(node.bounds.connect_packet, reading).await {
        Ok(Ok(length)) => length,
        Ok(Err(refusal)) => {
            let code = refusal.map_or(ReasonCode::MalformedPacket, |refusal| refusal.code);
            node.connect_failed(&entrance, None, &ConnectEnd::Malformed(code));
            if let Some(refusal) = refusal {
                refuse(io, refusal, Version::V311).await;
            }
            return None;
        }
        Err(_) => {
            node.connect_failed(&entrance, None, &ConnectEnd::TimedOut);
            return None;
        }
    };
    let rest = received.split_off(length);
    let Ok(Some((Packet::Connect(connect), _))) =
        mqtt::decode(&received, Version::V5, CONNECT_BYTES)
    else {
        return None;
    };
    match judge(&node, &connect, &entrance) {
        Verdict::Granted(granted, peer) => {
            Some(takeover::attach(&node, io, &entrance, &connect, *granted, peer, rest))
        }
        Verdict::Refused(refusal, end) => {
            let version = connect.version;
            node.connect_failed(&entrance, Some(&connect), &end);
            if let Some(refusal) = refusal {
                refuse(io, refusal, version).await;
            }
            None
        }
    }
}

/// Reads until there is a whole CONNECT; gives its length. An error with a refusal is one that a
/// CONNACK can tell.
async fn read_connect(
    io: &mut Box<dyn Transport>,
    received: &mut Vec<u8>,
) -> Result<usize, Option<Refusal>> {
    loop {
        match mqtt::decode(received, Version::V5, CONNECT_BYTES) {
            Ok(Some((Packet::Connect(_), length))) => return Ok(length),
            // The first packet must be CONNECT ([MQTT-3.1.0-1]).
            Ok(Some(_)) => return Err(None),
            Ok(None) if received.first().is_some_and(|first| first >> 4 != 1) => return Err(None),
            Ok(None) => {}
            Err(error) => {
                let code = error.reason_code();
                let told = code == ReasonCode::UnsupportedProtocolVersion;
                let details = "the protocol version is neither 3.1.1 nor 5";
                return Err(told.then_some(Refusal { code, details }));
            }
        }
        match io.read_buf(received).await {
            Ok(0) | Err(_) => return Err(None),
            Ok(_) => {}
        }
    }
}

fn judge(node: &Node, connect: &Connect<'_>, entrance: &Entrance) -> Verdict {
    if node.is_draining() {
        return busy(ReasonCode::ServerUnavailable, ConnectEnd::Draining);
    }
    if node.connected.load(Ordering::Relaxed) >= node.rules.quotas.connections {
        return busy(ReasonCode::QuotaExceeded, ConnectEnd::Throttled(Quota::Connections));
    }
    let granted = match negotiate(connect, &node.rules, assigned_client_id) {
        Ok(granted) => granted,
        Err(refusal) => return Verdict::Refused(Some(refusal), ConnectEnd::Refused(refusal)),
    };
    let directory = node.directory.load();
    let peer = Peer {
        principal: Arc::clone(&entrance.principal),
        source: entrance.source,
        secure: entrance.secure,
        thing: directory.thing_of(&entrance.principal, granted.client_id.as_str()),
        client_id: Some(granted.client_id.clone()),
    };
    let now = node.now();
    let persistent = granted.session_expiry_seconds > 0 || !granted.clean_start;
    if node.access.connect(&peer, connect.will.as_ref(), persistent, now).is_err() {
        let silent = connect.version == Version::V311 && node.rules.profile.silent_refusal_v311;
        let details = "not allowed iot:Connect on this client ID";
        let refusal = Refusal { code: ReasonCode::NotAuthorized, details };
        return Verdict::Refused((!silent).then_some(refusal), ConnectEnd::Denied);
    }
    let quotas = &node.rules.quotas;
    if node.budgets.connects.take(quotas.connects, now).is_err() {
        return busy(ReasonCode::QuotaExceeded, ConnectEnd::Throttled(Quota::Connects));
    }
    let device = node.devices.get_or_insert(&granted.client_id);
    if device.connects.take(quotas.connects_per_client, now).is_err() {
        return busy(ReasonCode::QuotaExceeded, ConnectEnd::Throttled(Quota::ConnectsPerClient));
    }
    Verdict::Granted(Box::new(granted), Arc::new(peer))
}

fn busy(code: ReasonCode, end: ConnectEnd) -> Verdict {
    Verdict::Refused(Some(Refusal { code, details: "the server takes no connection now" }), end)
}

fn assigned_client_id() -> ClientId {
    let text = format!("auto-{}", telemetry::TraceId::random());
    ClientId::parse(&text).expect("letters, digits and dashes are a client ID")
}

async fn refuse(mut io: Box<dyn Transport>, refusal: Refusal, version: Version) {
    let mut bytes = Vec::new();
    refusal.refuse(version, &mut bytes);
    let farewell = async {
        io.write_all(&bytes).await?;
        io.flush().await?;
        io.shutdown().await
    };
    // The connection ends either way.
    let _ = tokio::time::timeout(takeover::FAREWELL, farewell).await;
}
