//! From an authenticated transport to a connected device.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use engine::access::Peer;
use engine::directory::Principal;
use engine::session::{Granted, Refusal, negotiate};
use mqtt::{ClientId, Connect, Packet, ReasonCode, Version};
use reactor::Ready;
use telemetry::Quota;
use tokio::io::{AsyncRead, ReadBuf};

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

/// The next step for a connection that sent its CONNECT.
enum Verdict {
    Granted(Box<Granted>, Arc<Peer>),
    Refused(Option<Refusal>, ConnectEnd),
}

/// A connection of which the CONNECT has not come whole yet.
pub(crate) struct Admission {
    node: Arc<Node>,
    /// Taken out when it is decided.
    io: Option<Box<dyn Transport>>,
    entrance: Entrance,
    received: Vec<u8>,
    /// Set once something has to be waited for.
    patience: Option<Pin<Box<dyn Future<Output = ConnectEnd> + Send>>>,
}

/// What the client has sent so far.
enum Received {
    /// A CONNECT of that length.
    Connect(usize),
    /// The beginning of one.
    Part,
    /// Something else; with a refusal if a CONNACK can tell.
    Malformed(Option<Refusal>),
}

impl Admission {
    pub(crate) fn new(node: Arc<Node>, io: Box<dyn Transport>, entrance: Entrance) -> Self {
        Admission { node, io: Some(io), entrance, received: Vec::new(), patience: None }
    }

    /// Reads until there is a whole CONNECT, then grants or refuses it; none if the connection is
    /// over.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, ready: Ready) -> Poll<Option<Driver>> {
        let Some(io) = &mut self.io else { return Poll::Ready(None) };
        io.note_ready(ready);
        let mut scratch = [0; 1024];
        loop {
            let mut buffer = ReadBuf::new(&mut scratch);
            match Pin::new(&mut *io).poll_read(cx, &mut buffer) {
                Poll::Pending => return self.wait(cx),
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    self.received.extend_from_slice(buffer.filled());
                }
                Poll::Ready(_) => return Poll::Ready(self.fail(None)),
            }
            match look(&self.received) {
                Received::Connect(length) => return Poll::Ready(self.decide(length)),
                Received::Part => {}
                Received::Malformed(refusal) => return Poll::Ready(self.fail(refusal)),
            }
        }
    }

    /// Nothing more for now; the client has a while.
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<Option<Driver>> {
        let patience =
            self.patience.get_or_insert_with(|| Box::pin(patience(Arc::clone(&self.node))));
        let Poll::Ready(end) = patience.as_mut().poll(cx) else { return Poll::Pending };
        self.io = None;
        self.node.connect_failed(&self.entrance, None, &end);
        Poll::Ready(None)
    }

    fn fail(&mut self, refusal: Option<Refusal>) -> Option<Driver> {
        let code = refusal.map_or(ReasonCode::MalformedPacket, |refusal| refusal.code);
        self.node.connect_failed(&self.entrance, None, &ConnectEnd::Malformed(code));
        let io = self.io.take();
        if let (Some(io), Some(refusal)) = (io, refusal) {
            self.node.refuse(io, refusal, Version::V311, None);
        }
        None
    }

    fn decide(&mut self, length: usize) -> Option<Driver> {
        let rest = self.received.split_off(length);
        let received = std::mem::take(&mut self.received);
        let io = self.io.take()?;
        let Ok(Some((Packet::Connect(connect), _))) =
            mqtt::decode(&received, Version::V5, CONNECT_BYTES)
        else {
            return None;
        };
        let (node, entrance) = (&self.node, &self.entrance);
        match judge(node, &connect, entrance) {
            Verdict::Granted(granted, peer) => {
                Some(takeover::attach(node, io, entrance, &connect, *granted, peer, rest))
            }
            Verdict::Refused(refusal, end) => {
                node.connect_failed(entrance, Some(&connect), &end);
                if let Some(refusal) = refusal {
                    let packet_size_max = connect.properties.maximum_packet_size();
                    node.refuse(io, refusal, connect.version, packet_size_max);
                }
                None
            }
        }
    }
}

/// Why a client that has not sent its CONNECT is not waited for any longer.
async fn patience(node: Arc<Node>) -> ConnectEnd {
    tokio::select! {
        () = tokio::time::sleep(node.bounds.connect_packet) => ConnectEnd::TimedOut,
        () = node.drain_begun() => ConnectEnd::Draining,
    }
}

fn look(received: &[u8]) -> Received {
    match mqtt::decode(received, Version::V5, CONNECT_BYTES) {
        Ok(Some((Packet::Connect(_), length))) => Received::Connect(length),
        // The first packet must be CONNECT ([MQTT-3.1.0-1]).
        Ok(Some(_)) => Received::Malformed(None),
        Ok(None) if received.first().is_some_and(|first| first >> 4 != 1) => {
            Received::Malformed(None)
        }
        Ok(None) => Received::Part,
        Err(error) => {
            let code = error.reason_code();
            let told = code == ReasonCode::UnsupportedProtocolVersion;
            let details = "the protocol version is neither 3.1.1 nor 5";
            Received::Malformed(told.then_some(Refusal { code, details }))
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
    let grants = entrance.principal.grants.load();
    let peer = Peer {
        principal: Arc::clone(&entrance.principal),
        source: entrance.source,
        secure: entrance.secure,
        thing: directory.thing_of(&grants, granted.client_id.as_str()),
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

impl Node {
    fn refuse(
        self: &Arc<Self>,
        io: Box<dyn Transport>,
        refusal: Refusal,
        version: Version,
        packet_size_max: Option<u32>,
    ) {
        let mut bytes = Vec::new();
        refusal.refuse(version, packet_size_max, &mut bytes);
        self.part(io, bytes);
    }
}
