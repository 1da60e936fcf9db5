//! Sockets that accept, and which room their connections go to.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use api::{Api, Credentials};
use arc_swap::ArcSwap;
use engine::directory::Principal;
use rustix::net::sockopt;
use tokio::sync::watch;

use super::http1::Http1;
use super::occupancy::{Occupancy, Presence};
use super::running::StartError;
use super::shards::Shards;
use super::tls::{Plan, TlsPlans};
use super::wire::Wire;
use super::{admin, mqtt, tls};
use crate::config::{ListenerName, Listeners, MqttAccess};
use crate::registry::Registry;

/// How many connections may wait to be accepted on one listener.
const BACKLOG: u32 = 4096;

/// How long a listener that ran out of descriptors waits before it accepts again.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(50);

/// What every listener shares.
#[derive(Clone)]
pub struct Doors {
    /// The HTTP operations, and the node behind them.
    pub api: Arc<Api>,
    /// The TLS configurations, if there is a certificate.
    pub plans: Option<TlsPlans>,
    /// Turns true when the server drains.
    pub draining: watch::Receiver<bool>,
    /// The threads that serve connections.
    pub shards: Arc<Shards>,
    /// The open connections.
    pub occupancy: Occupancy,
}

/// What a listener's connections speak.
#[derive(Clone)]
pub(super) enum Room {
    /// Plain MQTT, as whoever is this principal when a connection begins.
    Mqtt(Arc<ArcSwap<Principal>>),
    /// TLS, and then what the plan says.
    Tls(Plan),
    /// Plain HTTP.
    Http(Credentials),
    /// Metrics and health.
    Admin,
}

/// One accepted connection.
pub(super) struct Visit {
    pub(super) doors: Doors,
    pub(super) source: SocketAddr,
    pub(super) target: SocketAddr,
    /// Says that it is open.
    pub(super) presence: Presence,
}

/// Binds every configured listener, then accepts on all of them; gives the addresses by name.
///
/// # Errors
/// [`StartError`] for the first listener that cannot be had; none accepts then.
pub async fn open(
    listeners: &Listeners,
    registry: &mut Registry,
    doors: Doors,
) -> Result<BTreeMap<&'static str, SocketAddr>, StartError> {
    let mut addresses = BTreeMap::new();
    let mut bound = Vec::new();
    for (name, address) in listeners.served() {
        let room = room(name, listeners, registry, &doors)?;
        let failed = |error| StartError::Listen(name, address, error);
        let dead_peer = doors.api.node().bounds().dead_peer;
        let listener = bind(address, dead_peer).map_err(failed)?;
        addresses.insert(name.as_str(), listener.local_addr().map_err(failed)?);
        bound.push((listener, room));
    }
    // The WebSocket of AWS's port 443 has an address of its own only if one is configured.
    if let Some(https) = addresses.get(ListenerName::Https.as_str()).copied() {
        addresses.entry(ListenerName::Wss.as_str()).or_insert(https);
    }
    for (listener, room) in bound {
        tokio::spawn(accept(listener, room, doors.clone()));
    }
    Ok(addresses)
}

fn room(
    name: ListenerName,
    listeners: &Listeners,
    registry: &mut Registry,
    doors: &Doors,
) -> Result<Room, StartError> {
    let tls = |plan| match doors.plans {
        Some(_) => Ok(Room::Tls(plan)),
        None => Err(StartError::Listener(name, "needs the [tls] table in the configuration")),
    };
    match name {
        ListenerName::Mqtt => {
            let access = listeners.mqtt.as_ref().and_then(|mqtt| mqtt.access.as_ref());
            let principal = match access {
                Some(MqttAccess::Open) => Some(Arc::new(ArcSwap::new(Principal::anonymous()))),
                Some(MqttAccess::Principal { name, .. }) => registry.follow(name),
                None => None,
            };
            principal.map(Room::Mqtt).ok_or(StartError::Listener(
                name,
                "needs `principal = \"certificates/NAME\"` or `open = true`",
            ))
        }
        ListenerName::Mqtts => tls(Plan::Mqtt),
        ListenerName::Https | ListenerName::Wss => tls(Plan::ByProtocol),
        ListenerName::HttpsX509 => tls(Plan::HttpX509),
        ListenerName::Http => {
            let open = listeners.http.as_ref().is_some_and(|http| http.open);
            Ok(Room::Http(match open {
                true => Credentials::Open(Principal::anonymous()),
                false => Credentials::Signature,
            }))
        }
        ListenerName::Admin => Ok(Room::Admin),
    }
}

fn bind(address: SocketAddr, dead_peer: Duration) -> io::Result<TcpListener> {
    let socket = if address.is_ipv6() {
        tokio::net::TcpSocket::new_v6()?
    } else {
        tokio::net::TcpSocket::new_v4()?
    };
    // A restarted server may have its port back at once.
    socket.set_reuseaddr(true)?;
    // Without it a small packet may wait for the acknowledgement of the one before. Set here, this
    // and what follows holds for every connection that is accepted.
    socket.set_nodelay(true)?;
    notice_dead_peers(&socket, dead_peer)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// Probes that a peer may leave unanswered.
const PROBES: u32 = 3;

/// Has the kernel end a connection whose peer has been gone for that long: by probes while nothing
/// is on its way, by the missing acknowledgement otherwise.
fn notice_dead_peers(socket: impl AsFd, after: Duration) -> io::Result<()> {
    let second = Duration::from_secs(1);
    // Half of the time in silence, the rest in probes; the kernel counts whole seconds.
    let interval = (after / (2 * PROBES)).max(second);
    sockopt::set_socket_keepalive(&socket, true)?;
    sockopt::set_tcp_keepidle(&socket, (after / 2).max(second))?;
    sockopt::set_tcp_keepintvl(&socket, interval)?;
    sockopt::set_tcp_keepcnt(&socket, PROBES)?;
    let millis = u32::try_from(after.as_millis()).unwrap_or(u32::MAX);
    sockopt::set_tcp_user_timeout(&socket, millis)?;
    Ok(())
}

/// Accepts until the server drains.
async fn accept(listener: TcpListener, room: Room, mut doors: Doors) {
    let Ok(target) = listener.local_addr() else { return };
    let Ok(listener) = reactor::Listener::new(listener) else { return };
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = doors.draining.wait_for(|draining| *draining) => return,
        };
        let (stream, source) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // The peer may be gone already, or descriptors have run out: those in use will
                // be given back.
                if error.kind() != io::ErrorKind::ConnectionAborted {
                    tokio::time::sleep(OUT_OF_DESCRIPTORS).await;
                }
                continue;
            }
        };
        let Some(presence) = doors.occupancy.enter() else { continue };
        let target = match target.ip().is_unspecified() {
            true => stream.local_addr().unwrap_or(target),
            false => target,
        };
        enter(stream, room.clone(), Visit { doors: doors.clone(), source, target, presence });
    }
}

/// Gives a connection to the thread that will serve it.
fn enter(stream: TcpStream, room: Room, visit: Visit) {
    let shards = Arc::clone(&visit.doors.shards);
    let shard = shards.next();
    match room {
        Room::Mqtt(principal) => {
            let principal = principal.load_full();
            shard.adopt(stream, move |stream| {
                mqtt::task(Wire::Plain(stream), principal, false, visit)
            })
        }
        Room::Tls(plan) => shard.adopt(stream, move |stream| tls::task(stream, plan, visit)),
        Room::Http(credentials) => shard.adopt(stream, move |stream| {
            Box::new(Http1::new(Wire::Plain(stream), credentials, false, visit))
        }),
        Room::Admin => shard.spawn_task(async move {
            if let Ok(stream) = tokio::net::TcpStream::from_std(stream) {
                admin::serve(stream, visit).await;
            }
        }),
    }
}
