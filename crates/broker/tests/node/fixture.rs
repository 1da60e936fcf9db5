//! A node to test, and a sender.

use std::sync::Arc;
use std::time::Duration;

use broker::{
    ClientConnection, ClientRefused, Confirmation, HandOver, Node, NodeSettings, Settled, Storage,
    Waiter,
};
use engine::Moment;
use engine::access::Peer;
use engine::direct::DirectMessage;
use engine::directory::{Directory, Principal};
use engine::limits::{Bounds, Quotas};
use engine::outcome::DirectOutcome;
use engine::profile::{AWS, Profile, STANDARD};
use engine::session::Rules;
use mqtt::{ClientId, Properties, TopicName};
use policy::Scope;
use store::{Durability, Journal, Memory, Records};
use telemetry::{Level, LogSettings, LogTarget, Telemetry};

/// A node without rates.
pub fn node() -> Arc<Node> {
    node_with(Quotas::default().without_rates(), Bounds::default())
}

pub fn node_with(quotas: Quotas, bounds: Bounds) -> Arc<Node> {
    node_of(Rules::new(&AWS, quotas, &bounds), bounds, None)
}

/// A node with the rules of the standard that keeps everything in `records`.
pub fn storing_node(records: &Arc<Memory>) -> Arc<Node> {
    storing_node_with(records, STANDARD.quotas.without_rates(), &STANDARD)
}

pub fn storing_node_with(
    records: &Arc<Memory>,
    quotas: Quotas,
    profile: &'static Profile,
) -> Arc<Node> {
    let bounds = Bounds::default();
    let rules = Rules::new(profile, quotas, &bounds);
    let records: Arc<dyn Records> = Arc::<Memory>::clone(records);
    let journal = Journal::start(Arc::clone(&records), Durability::Always, Box::new(|_| {}))
        .expect("a thread to spare");
    node_of(rules, bounds, Some(Storage { records, journal }))
}

/// Why a node does not start on these records.
pub fn unreadable_node(records: Memory) -> String {
    let bounds = Bounds::default();
    let rules = Rules::new(&STANDARD, STANDARD.quotas, &bounds);
    let records: Arc<dyn Records> = Arc::new(records);
    let journal = Journal::start(Arc::clone(&records), Durability::Always, Box::new(|_| {}))
        .expect("a thread to spare");
    let started = start(rules, bounds, Some(Storage { records, journal }));
    started.map(drop).expect_err("unreadable").to_string()
}

fn node_of(rules: Rules, bounds: Bounds, kept: Option<Storage>) -> Arc<Node> {
    start(rules, bounds, kept).expect("nothing to read")
}

fn start(
    rules: Rules,
    bounds: Bounds,
    kept: Option<Storage>,
) -> Result<Arc<Node>, store::StoreError> {
    let log = LogSettings {
        target: LogTarget::Discard,
        level: Level::Info,
        buffer_bytes: 1 << 20,
        ring: None,
        account: "123456789012".to_owned(),
    };
    Node::start(NodeSettings {
        scope: Scope::new("us-west-2", "123456789012"),
        rules,
        bounds,
        directory: Arc::new(arc_swap::ArcSwap::from_pointee(Directory::default())),
        telemetry: Arc::new(Telemetry::start(log).expect("nothing to open")),
        kept,
    })
}

/// A message that was handed to a connection.
#[derive(Debug)]
pub struct Sent {
    pub epoch: u64,
    pub at: Moment,
    pub confirmation: Option<Pending>,
}

/// A confirmation to wait for.
#[derive(Debug)]
pub struct Pending(Confirmation);

impl Pending {
    /// How the delivery ended, and when the PUBACK came.
    pub async fn settled(self) -> (DirectOutcome, Option<Moment>) {
        let settled = self.whole().await;
        (settled.outcome, settled.acknowledged)
    }

    /// Everything that is known of its end.
    pub async fn whole(self) -> Settled {
        self.0.settled().await.expect("whoever is dropped says so")
    }
}

/// A sender that may do everything.
pub fn sender() -> Peer {
    Peer {
        principal: Principal::anonymous(),
        source: ([127, 0, 0, 1], 2).into(),
        secure: true,
        client_id: None,
        thing: None,
    }
}

/// What is known of a client, the addresses of its socket included.
pub fn look(node: &Node, client_id: &str) -> Result<ClientConnection, ClientRefused> {
    let client_id = ClientId::parse(client_id).expect("valid");
    let permit = node.access().get_connection(&sender(), &client_id, true, node.now());
    node.client_connection(&permit.expect("anybody may"), &client_id)
}

/// Hands a direct message over.
pub fn dispatch(
    node: &Arc<Node>,
    client_id: &str,
    payload: &[u8],
    confirmation: Option<Duration>,
) -> Result<Sent, DirectOutcome> {
    let sender = sender();
    let client_id = ClientId::parse(client_id).expect("valid");
    let topic = TopicName::parse("commands/reboot").expect("valid");
    let permit =
        node.access().send_direct(&sender, &client_id, topic, node.now()).expect("anybody may");
    let message = DirectMessage {
        topic,
        payload,
        properties: Properties::EMPTY,
        optional: None,
        confirmation,
        deadline: None,
    };
    let (settle, pending) = Confirmation::channel();
    let waiter = Waiter::new(settle);
    let hand_over = HandOver { client_id: &client_id, message: &message, routed: None };
    let sent = node.send_direct(permit, hand_over, || waiter);
    let dispatched = sent.map_err(|settled| settled.outcome)?;
    let confirmation = confirmation.map(|_| Pending(pending));
    Ok(Sent { epoch: dispatched.epoch, at: dispatched.at, confirmation })
}

/// Sends with a confirmation and waits for how it ends.
pub async fn confirm(
    node: &Arc<Node>,
    client_id: &str,
    timeout: Duration,
) -> (DirectOutcome, Option<Moment>) {
    match dispatch(node, client_id, b"{}", Some(timeout)) {
        Ok(dispatched) => dispatched.confirmation.expect("asked for").settled().await,
        Err(outcome) => (outcome, None),
    }
}

/// Sends without a confirmation.
pub fn send(node: &Arc<Node>, client_id: &str, payload: &[u8]) -> DirectOutcome {
    match dispatch(node, client_id, payload, None) {
        Ok(_) => DirectOutcome::Dispatched,
        Err(outcome) => outcome,
    }
}

/// Waits until `reached` says so.
pub async fn eventually(mut reached: impl FnMut() -> bool) {
    let waiting = async {
        while !reached() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(crate::device::PATIENCE, waiting).await.expect("reached in time");
}
