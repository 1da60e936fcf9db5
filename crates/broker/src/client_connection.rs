//! What is known of a client's connection, or of its last one (spec 2.2).

use std::net::SocketAddr;

use engine::Moment;
use engine::access::GetConnectionPermit;
use engine::close::CloseReason;
use engine::departures::Departure;
use engine::session::Memory;
use mqtt::ClientId;

use crate::connection::Connection;
use crate::device::Kept;
use crate::named_clients::ClientRefused;
use crate::node::Node;

/// What is known of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientConnection {
    /// Whether it is connected, and since when.
    pub standing: Standing,
    /// Whether its session ends, or ended, with its connection.
    pub clean_session: bool,
    /// How long its session outlives its connection, in seconds.
    pub session_expiry_seconds: u32,
    /// The keep-alive in force, in seconds; 0 is none.
    pub keep_alive_seconds: Option<u16>,
    /// The thing that it speaks for.
    pub thing_name: Option<Box<str>>,
    /// The epoch of its connection.
    pub epoch: Option<u64>,
    /// When its last packet came.
    pub last_received: Option<Moment>,
    /// How many messages at QoS 1 and 2 were sent to it and wait for its acknowledgement; none if it
    /// has no session.
    pub inflight: Option<usize>,
    /// The addresses of its socket, if the permit includes them and they are known.
    pub socket: Option<SocketInformation>,
}

/// Whether a client is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is, since then.
    Connected(Moment),
    /// It is not, since then and for that reason.
    Disconnected(Moment, CloseReason),
    /// It has a session and is not connected; since when is not known any more.
    Away,
}

/// The addresses of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketInformation {
    /// Where the client calls from.
    pub source: SocketAddr,
    /// The address that it called, if that is known.
    pub target: Option<SocketAddr>,
}

impl Node {
    /// What is known of a client: of its connection, of its session, or of a connection that ended a
    /// while ago ([`engine::limits::Bounds::departure_life`]).
    ///
    /// # Errors
    /// [`ClientRefused`].
    pub fn client_connection(
        &self,
        permit: &GetConnectionPermit,
        client_id: &ClientId,
    ) -> Result<ClientConnection, ClientRefused> {
        let (now, rates) = (self.now(), self.rules.quotas.get_connection);
        self.named_clients.get_connection.take(rates, client_id, now)?;
        let found = self.find_connection(client_id, now).ok_or(ClientRefused::Unknown)?;
        let socket = found.socket.filter(|_| permit.includes_socket_information());
        Ok(ClientConnection { socket, ..found })
    }

    fn find_connection(&self, client_id: &ClientId, now: Moment) -> Option<ClientConnection> {
        let device = self.devices.get(client_id.as_str());
        let Some(state) = device.as_ref().map(|device| device.lock()) else {
            return self.departures.lock().get(client_id, now).map(of_departure);
        };
        if let Some(connection) = &state.connection {
            return Some(of_connection(connection, &state.session));
        }
        // Under the device's lock, so that a connection that ends meanwhile is not missed.
        let left = self.departures.lock().get(client_id, now).map(of_departure);
        match state.has_session(now) {
            true => Some(of_session(&state.session, left)),
            false => left,
        }
    }
}

fn of_connection(connection: &Connection, kept: &Kept) -> ClientConnection {
    let (session, peer) = (&connection.session, &connection.peer);
    ClientConnection {
        standing: Standing::Connected(connection.since),
        clean_session: !kept.is_persistent(),
        session_expiry_seconds: kept.expiry_seconds,
        keep_alive_seconds: Some(session.keep_alive_seconds()),
        thing_name: peer.thing.as_ref().map(|thing| thing.name.as_str().into()),
        epoch: Some(connection.epoch),
        last_received: Some(session.last_received()),
        inflight: Some(session.inflight()),
        socket: Some(SocketInformation {
            source: peer.source,
            target: connection.io.local_address(),
        }),
    }
}

fn of_departure(departure: &Departure) -> ClientConnection {
    let Departure { source, target, .. } = *departure;
    ClientConnection {
        standing: Standing::Disconnected(departure.at, departure.reason),
        clean_session: departure.clean_session,
        session_expiry_seconds: departure.session_expiry_seconds,
        keep_alive_seconds: Some(departure.keep_alive_seconds),
        thing_name: departure.thing_name.clone(),
        epoch: Some(departure.epoch),
        last_received: Some(departure.last_received),
        inflight: None,
        socket: Some(SocketInformation { source, target }),
    }
}

/// A session without a connection, and what is still known of its last one.
fn of_session(kept: &Kept, left: Option<ClientConnection>) -> ClientConnection {
    let nothing = ClientConnection {
        standing: Standing::Away,
        clean_session: false,
        session_expiry_seconds: kept.expiry_seconds,
        keep_alive_seconds: None,
        thing_name: None,
        epoch: None,
        last_received: None,
        inflight: None,
        socket: None,
    };
    let inflight = kept.memory.as_deref().map_or(0, Memory::unacknowledged);
    ClientConnection { inflight: Some(inflight), ..left.unwrap_or(nothing) }
}
