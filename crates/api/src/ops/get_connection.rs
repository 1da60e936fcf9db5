//! `GET /connections/{clientId}` (spec 2.2).

use std::net::SocketAddr;

use broker::{ClientConnection, Node, Standing};
use engine::Wall;
use engine::question::Question;
use mqtt::ClientId;
use serde_json::{Value, json};
use telemetry::event;

use super::{Call, client_id, logged};
use crate::exchange::counted;
use crate::explanation::of_denial;
use crate::fault::Fault;
use crate::query::Query;
use crate::refused::Refused;
use crate::reply::Reply;

/// The checked parameters.
struct Input {
    client_id: ClientId,
    socket_information: bool,
}

/// Answers a call and writes its log entry. `label` is the client ID, still percent-encoded.
pub(crate) fn answer(node: &Node, label: &str, call: &Call<'_>) -> Reply {
    let input = Input::parse(label, call);
    let found = match &input {
        Ok(input) => find(node, input, call),
        Err(refused) => Err(refused.clone()),
    };
    let refused = found.as_ref().err();
    let sentence = refused.map(Refused::sentence).unwrap_or_default();
    node.telemetry().record(&event::GetConnection(event::ClientOperation {
        sender: logged(&call.sender, call.trace_id),
        client_id: &client_id::logged(label),
        refused: refused.map(|refused| refused.logged(&sentence)),
    }));
    let reply = match found {
        Ok(document) => Reply::document(call.trace_id, &document),
        Err(refused) => {
            let asked = input.as_ref().ok().filter(|_| refused.is_of_policies());
            let explanation = asked.and_then(|input| {
                let Input { client_id, socket_information } = input;
                let asked = Question::get_connection(&call.sender, client_id, *socket_information);
                of_denial(node, &asked, &asked)
            });
            Reply::failure(call.trace_id, Fault::of_refused(&refused).explained(explanation))
        }
    };
    counted(node, reply)
}

impl Input {
    fn parse(label: &str, call: &Call<'_>) -> Result<Input, Refused> {
        let client_id = client_id::of_label(label).map_err(Refused::ClientId)?;
        let socket_information = Query::split(call.head.query)
            .boolean("includeSocketInformation")
            .map_err(Refused::IncludeSocketInformation)?;
        Ok(Input { client_id, socket_information: socket_information.unwrap_or(false) })
    }
}

/// Whether there is such a client is told only to who may know.
fn find(node: &Node, input: &Input, call: &Call<'_>) -> Result<Value, Refused> {
    let Input { client_id, socket_information } = input;
    let permit = node
        .access()
        .get_connection(&call.sender, client_id, *socket_information, node.now())
        .map_err(|_| Refused::Unauthorized(action(*socket_information)))?;
    let found = node.client_connection(&permit, client_id)?;
    Ok(document(client_id, &found, node.wall()))
}

/// What the call takes, for the sentence of a sender who may not.
fn action(socket_information: bool) -> &'static str {
    match socket_information {
        false => "iot:GetConnection on this client",
        true => "iot:GetConnection on this client with iot:IncludeSocketInformation",
    }
}

/// What is not known, and what does not apply, is left out.
fn document(client_id: &ClientId, found: &ClientConnection, wall: Wall) -> Value {
    let connected = matches!(found.standing, Standing::Connected(_));
    let mut document = json!({
        "clientId": client_id.as_str(),
        "connected": connected,
        "cleanSession": found.clean_session,
        "sessionExpiry": found.session_expiry_seconds,
    });
    let mut tell = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            document[name] = value;
        }
    };
    match found.standing {
        Standing::Connected(since) => tell("connectedSince", Some(wall.millis(since).into())),
        Standing::Disconnected(since, reason) => {
            tell("disconnectedSince", Some(wall.millis(since).into()));
            tell("disconnectReason", Some(reason.disconnect_reason().into()));
        }
        Standing::Away => {}
    }
    tell("keepAliveDuration", found.keep_alive_seconds.map(Value::from));
    tell("thingName", found.thing_name.as_deref().map(Value::from));
    let socket = found.socket;
    let [source, target] =
        [socket.map(|socket| socket.source), socket.and_then(|socket| socket.target)];
    tell("sourceIp", source.map(ip));
    tell("sourcePort", source.map(|address| address.port().into()));
    tell("targetIp", target.map(ip));
    tell("targetPort", target.map(|address| address.port().into()));
    // Ours.
    tell("lastSeen", found.last_received.map(|at| wall.millis(at).into()));
    tell("connectionEpoch", found.epoch.map(Value::from));
    tell("inflight", found.inflight.map(Value::from));
    document
}

/// An IPv4 address reads the same on a listener of IPv6.
fn ip(address: SocketAddr) -> Value {
    address.ip().to_canonical().to_string().into()
}

#[cfg(test)]
mod tests {
    use broker::SocketInformation;
    use engine::Moment;
    use engine::close::CloseReason;

    use super::*;

    fn second(at: u64) -> Moment {
        Moment::from_micros(at * 1_000_000)
    }

    fn told(found: &ClientConnection) -> Value {
        let client_id = ClientId::parse("lamp/1").expect("valid");
        document(&client_id, found, Wall::new(1_000_000))
    }

    fn connected() -> ClientConnection {
        ClientConnection {
            standing: Standing::Connected(second(1)),
            clean_session: false,
            session_expiry_seconds: 3_600,
            keep_alive_seconds: Some(60),
            thing_name: Some("lamp-1".into()),
            epoch: Some(7),
            last_received: Some(second(2)),
            inflight: Some(3),
            socket: None,
        }
    }

    #[test]
    fn a_connected_client_has_the_members_of_the_model_and_ours() {
        let expected = json!({
            "clientId": "lamp/1", "connected": true, "cleanSession": false, "sessionExpiry": 3600,
            "connectedSince": 1_001_000, "keepAliveDuration": 60, "thingName": "lamp-1",
            "lastSeen": 1_002_000, "connectionEpoch": 7, "inflight": 3,
        });
        assert_eq!(told(&connected()), expected);
    }

    #[test]
    fn addresses_stand_as_people_write_them() {
        let source = "[::ffff:192.0.2.7]:40123".parse().expect("an address");
        let target = Some("[2001:db8::1]:8883".parse().expect("an address"));
        let socket = Some(SocketInformation { source, target });
        let document = told(&ClientConnection { socket, ..connected() });
        assert_eq!(
            (&document["sourceIp"], &document["sourcePort"]),
            (&json!("192.0.2.7"), &json!(40123))
        );
        assert_eq!(
            (&document["targetIp"], &document["targetPort"]),
            (&json!("2001:db8::1"), &json!(8883))
        );
        let unknown = Some(SocketInformation { source, target: None });
        assert_eq!(
            told(&ClientConnection { socket: unknown, ..connected() }).get("targetIp"),
            None
        );
    }

    #[test]
    fn a_client_that_left_says_when_and_why_as_long_as_that_is_known() {
        let standing = Standing::Disconnected(second(3), CloseReason::Deleted);
        let document = told(&ClientConnection { standing, ..connected() });
        assert_eq!(document["connected"], false);
        assert_eq!(document["disconnectedSince"], 1_003_000);
        assert_eq!(document["disconnectReason"], "API_INITIATED_DISCONNECT");
        assert_eq!(document.get("connectedSince"), None);
        let away = ClientConnection {
            standing: Standing::Away,
            keep_alive_seconds: None,
            thing_name: None,
            epoch: None,
            last_received: None,
            inflight: Some(0),
            ..connected()
        };
        let expected = json!({
            "clientId": "lamp/1", "connected": false, "cleanSession": false, "sessionExpiry": 3600,
            "inflight": 0,
        });
        assert_eq!(told(&away), expected);
    }
}
