//! Lifecycle events on `$aws/events/...` (spec 4.7).

use std::net::IpAddr;
use std::sync::{Arc, Weak};

use engine::close::CloseReason;
use engine::message::{Publication, Shared};
use engine::profile::Profile;
use mqtt::{Properties, QoS, TopicName};
use serde::Serialize;
use tokio::sync::mpsc;

use crate::batch::Batch;
use crate::events::Link;
use crate::node::Node;

/// Events that wait to be published; beyond it the newest is lost, as a subscriber of AWS's may lose
/// one.
const WAITING: usize = 65_536;

/// An event, ready to be published.
pub(crate) struct LifecycleEvent {
    topic: String,
    payload: Vec<u8>,
}

/// Where events are handed over, in the order in which they happened; whoever tells of one may hold
/// locks.
pub(crate) struct Lifecycle(Option<mpsc::Sender<LifecycleEvent>>);

impl Lifecycle {
    /// Of a profile; one without lifecycle events tells of nothing.
    pub(crate) fn new(profile: &Profile) -> (Self, mpsc::Receiver<LifecycleEvent>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Lifecycle(profile.lifecycle_events.then_some(sender)), receiver)
    }

    pub(crate) fn connected(&self, link: Link<'_>, epoch: u64, connections: u64, at: u64) {
        self.tell(
            "presence",
            &Told {
                ip_address: Some(link.peer.source.ip()),
                ..Told::of_connection("connected", link, epoch, connections, at)
            },
        );
    }

    pub(crate) fn disconnected(
        &self,
        link: Link<'_>,
        epoch: u64,
        connections: u64,
        reason: CloseReason,
        at: u64,
    ) {
        self.tell(
            "presence",
            &Told {
                client_initiated_disconnect: Some(reason.is_client_initiated()),
                disconnect_reason: Some(reason.disconnect_reason()),
                ..Told::of_connection("disconnected", link, epoch, connections, at)
            },
        );
    }

    pub(crate) fn connect_failed(&self, client_id: &str, principal_id: &str, at: u64) {
        self.tell(
            "presence",
            &Told {
                connect_failure_reason: Some("AUTHORIZATION_FAILED"),
                ..Told::new("connect_failed", client_id, principal_id, at)
            },
        );
    }

    /// `kind` is `subscribed` or `unsubscribed`.
    pub(crate) fn filters(&self, kind: &'static str, link: Link<'_>, filters: &[&str], at: u64) {
        if !filters.is_empty() {
            self.tell(
                "subscriptions",
                &Told {
                    session_identifier: Some(link.trace_id.to_string()),
                    topics: Some(filters),
                    ..Told::new(kind, link.client_id(), &link.peer.principal.id, at)
                },
            );
        }
    }

    /// A certificate was registered when a device first showed it.
    pub(crate) fn certificate_registered(&self, authority: &str, payload: Vec<u8>) {
        if let Some(sender) = &self.0 {
            let topic = format!("$aws/events/certificates/registered/{authority}");
            let _ = sender.try_send(LifecycleEvent { topic, payload });
        }
    }

    /// None is told of a client ID that no topic could name.
    fn tell(&self, family: &str, told: &Told<'_>) {
        let Some(sender) = &self.0 else { return };
        if told.client_id.is_empty() || told.client_id.contains(['+', '#']) {
            return;
        }
        let topic = format!("$aws/events/{family}/{}/{}", told.event_type, told.client_id);
        let payload = serde_json::to_vec(told).unwrap_or_default();
        let _ = sender.try_send(LifecycleEvent { topic, payload });
    }
}

/// The payload of an event.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    client_id: &'a str,
    timestamp: u64,
    event_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_identifier: Option<String>,
    principal_identifier: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_address: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_initiated_disconnect: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disconnect_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connect_failure_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    topics: Option<&'a [&'a str]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thing_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_number: Option<u64>,
    /// Ours: which connection it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    connection_epoch: Option<u64>,
}

impl<'a> Told<'a> {
    fn new(event_type: &'static str, client_id: &'a str, principal: &'a str, at: u64) -> Self {
        let principal_identifier = principal;
        Told { client_id, timestamp: at, event_type, principal_identifier, ..Told::default() }
    }

    /// The first connection of a client ID has version number 0.
    fn of_connection(
        event_type: &'static str,
        link: Link<'a>,
        epoch: u64,
        connections: u64,
        at: u64,
    ) -> Self {
        Told {
            session_identifier: Some(link.trace_id.to_string()),
            thing_name: link.exclusive_thing(),
            version_number: Some(connections.saturating_sub(1)),
            connection_epoch: Some(epoch),
            ..Told::new(event_type, link.client_id(), &link.peer.principal.id, at)
        }
    }
}

/// Publishes the events until the node is gone.
pub(crate) async fn run(node: Weak<Node>, mut events: mpsc::Receiver<LifecycleEvent>) {
    while let Some(event) = events.recv().await {
        let Some(node) = node.upgrade() else { return };
        node.publish_event(&event);
    }
}

impl Node {
    /// Publishes that a certificate was registered when a device first showed it, on
    /// `$aws/events/certificates/registered/<ID of the authority>`, if the profile has such events.
    pub fn tell_certificate_registered(&self, authority: &str, payload: Vec<u8>) {
        self.lifecycle.certificate_registered(authority, payload);
    }

    fn publish_event(self: &Arc<Self>, event: &LifecycleEvent) {
        let Ok(topic) = TopicName::parse(&event.topic) else { return };
        let mut batch = Batch::new(self.now());
        let message = Shared::new(Publication {
            topic,
            qos: QoS::AtLeastOnce,
            retain: false,
            properties: Properties::EMPTY,
            payload: &event.payload,
            expires: None,
        });
        // Without RETAIN no quota keeps it from being published.
        let _ = self.publish(&message, None, &mut batch);
        batch.write(self);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use engine::access::Peer;
    use engine::directory::{Grants, Principal, Status};
    use engine::profile::AWS;
    use mqtt::ClientId;
    use policy::{PolicySet, Thing};
    use telemetry::TraceId;

    use super::*;

    /// What is told of a connection of `lamp` as it speaks for the thing `lamp-8`.
    fn told(exclusive_thing: Option<String>) -> serde_json::Value {
        let principal = Principal::anonymous();
        let (status, policies) = (Status::Active, PolicySet::allow_all());
        let things = vec!["lamp-8".to_owned()];
        principal.grants.store(Arc::new(Grants { status, policies, things, exclusive_thing }));
        let thing = Thing {
            name: "lamp-8".to_owned(),
            type_name: None,
            attributes: BTreeMap::new(),
            attached: true,
        };
        let peer = Peer {
            principal,
            source: ([127, 0, 0, 1], 1).into(),
            secure: true,
            client_id: Some(ClientId::parse("lamp").expect("valid")),
            thing: Some(Arc::new(thing)),
        };
        let (lifecycle, mut events) = Lifecycle::new(&AWS);
        lifecycle.connected(Link { trace_id: TraceId::random(), peer: &peer }, 1, 1, 0);
        let event = events.try_recv().expect("told at once");
        serde_json::from_slice(&event.payload).expect("JSON")
    }

    #[test]
    fn the_thing_is_named_only_if_the_certificate_is_its_own() {
        assert_eq!(told(Some("lamp-8".to_owned()))["thingName"], "lamp-8");
        assert_eq!(told(None).get("thingName"), None);
    }
}
