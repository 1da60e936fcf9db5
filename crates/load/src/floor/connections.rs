//! All connections, by token.

use super::device::Device;
use super::wire::Wire;

/// Names a connection, and never again another one that gets its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    index: u32,
    generation: u32,
}

/// A connection.
pub(crate) struct Connection {
    /// Its bytes.
    pub(crate) wire: Wire,
    /// The beginning of what is not complete yet.
    pub(crate) partial: Vec<u8>,
    /// Who is at the other end.
    pub(crate) role: Role,
}

/// Who is at the other end.
pub(crate) enum Role {
    /// MQTT.
    Device(Device),
    /// HTTP.
    Sender,
}

/// The connections there are.
#[derive(Default)]
pub(crate) struct Connections {
    places: Vec<Place>,
    free: Vec<u32>,
}

#[derive(Default)]
struct Place {
    generation: u32,
    connection: Option<Connection>,
}

impl Token {
    /// For the poller.
    pub(crate) fn to_u64(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    /// From the poller.
    pub(crate) fn from_u64(number: u64) -> Self {
        Self { index: number as u32, generation: (number >> 32) as u32 }
    }
}

impl Connections {
    /// Takes one in.
    pub(crate) fn insert(&mut self, connection: Connection) -> Token {
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place::default());
            u32::try_from(self.places.len() - 1).expect("there are fewer descriptors than that")
        });
        let place = &mut self.places[index as usize];
        place.connection = Some(connection);
        Token { index, generation: place.generation }
    }

    /// The connection with this token, if it is still there.
    pub(crate) fn get(&mut self, token: Token) -> Option<&mut Connection> {
        let place = self.places.get_mut(token.index as usize)?;
        (place.generation == token.generation).then_some(place.connection.as_mut()).flatten()
    }

    /// Lets it go.
    pub(crate) fn remove(&mut self, token: Token) -> Option<Connection> {
        let place = self.places.get_mut(token.index as usize)?;
        if place.generation != token.generation {
            return None;
        }
        let connection = place.connection.take()?;
        place.generation = place.generation.wrapping_add(1);
        self.free.push(token.index);
        Some(connection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    fn connection() -> Connection {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        Connection { wire: Wire::plain(stream), partial: Vec::new(), role: Role::Sender }
    }

    #[test]
    fn a_token_names_nothing_after_its_connection_has_gone() {
        let mut connections = Connections::default();
        let first = connections.insert(connection());
        assert_eq!(Token::from_u64(first.to_u64()), first);
        assert!(connections.remove(first).is_some());
        let second = connections.insert(connection());
        assert_eq!(second.index, first.index);
        assert!(connections.get(first).is_none() && connections.remove(first).is_none());
        assert!(connections.get(second).is_some());
    }
}
