//! What a confirmed message costs with a thousand and with a million connected sessions, and what a
//! session costs in memory. The connections are simulated: a transport acknowledges at once what is
//! written to it, so everything but the sockets is real.
//!
//! `cargo bench -p broker --bench sessions` prints one JSON object; `-- N` takes N sessions instead
//! of a million.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use broker::{Entrance, HandOver, Node, Serving, Settle, Settled, Transport, Waiter};
use engine::access::Peer;
use engine::direct::DirectMessage;
use engine::directory::Principal;
use engine::outcome::DirectOutcome;
use mqtt::{ClientId, Connect, Packet, Properties, TopicName, Version};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

mod node;

const FEW: usize = 1_000;
const MANY: usize = 1_000_000;

/// Messages of one measurement, and measurements of which the median counts.
const MESSAGES: usize = 200_000;
const ROUNDS: usize = 5;

/// A device at the end of no wire.
struct Loopback {
    /// What the node will read next.
    readable: Vec<u8>,
}

impl Transport for Loopback {}

impl AsyncRead for Loopback {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.readable.is_empty() {
            return Poll::Pending;
        }
        buffer.put_slice(&std::mem::take(&mut self.readable));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Loopback {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // A PUBLISH of the bench: a length of two bytes, the topic, the packet identifier.
        if bytes[0] >> 4 == 3 {
            let topic = usize::from(u16::from_be_bytes([bytes[3], bytes[4]]));
            let id = &bytes[5 + topic..7 + topic];
            self.readable = vec![0x40, 2, id[0], id[1]];
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn client_id(number: usize) -> ClientId {
    ClientId::parse(&format!("device-{number}")).expect("letters and digits")
}

/// Connects one more device.
fn connect(node: &Arc<Node>, principal: &Arc<Principal>, number: usize) -> Serving {
    let name = client_id(number);
    let connect = Connect {
        version: Version::V311,
        clean_start: true,
        keep_alive: 1200,
        client_id: name.as_str(),
        properties: Properties::EMPTY,
        will: None,
        username: None,
        password: None,
    };
    let mut readable = Vec::new();
    Packet::Connect(connect).encode(Version::V311, &mut readable).expect("valid");
    let entrance = Entrance {
        principal: Arc::clone(principal),
        source: ([127, 0, 0, 1], 1).into(),
        secure: false,
        life: None,
    };
    let mut serving = Serving::new(Arc::clone(node), Box::new(Loopback { readable }), entrance);
    advance(&mut serving);
    serving
}

fn advance(serving: &mut Serving) {
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(Pin::new(serving).poll(cx).is_pending(), "the connection is over");
}

/// Counts acknowledged messages.
struct Counting(Arc<AtomicU64>);

impl Settle for Counting {
    fn settle(&self, settled: Settled) {
        assert_eq!(settled.outcome, DirectOutcome::Acknowledged);
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Nanoseconds of one confirmed message to devices in an order that no cache foresees.
fn measure(node: &Arc<Node>, devices: &mut [Serving]) -> f64 {
    let acknowledged = Arc::new(AtomicU64::new(0));
    let sender = Peer {
        principal: Principal::anonymous(),
        source: ([127, 0, 0, 1], 2).into(),
        secure: false,
        client_id: None,
        thing: None,
    };
    let topic = TopicName::parse("commands/reboot").expect("valid");
    let payload = [b'x'; 256];
    let confirmation = Some(Duration::from_secs(5));
    let message = DirectMessage {
        topic,
        payload: &payload,
        properties: Properties::EMPTY,
        optional: None,
        confirmation,
        deadline: None,
    };
    let mut random = 1_u64;
    let started = Instant::now();
    for _ in 0..MESSAGES {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        let number = (random >> 33) as usize % devices.len();
        let target = client_id(number);
        let permit =
            node.access().send_direct(&sender, &target, topic, node.now()).expect("anybody may");
        let waiter = || Waiter::new(Arc::new(Counting(Arc::clone(&acknowledged))));
        let hand_over = HandOver { client_id: &target, message: &message, routed: None };
        node.send_direct(permit, hand_over, waiter).expect("connected");
        advance(&mut devices[number]);
    }
    let elapsed = started.elapsed();
    assert_eq!(acknowledged.load(Ordering::Relaxed), MESSAGES as u64);
    elapsed.as_nanos() as f64 / MESSAGES as f64
}

fn median(node: &Arc<Node>, devices: &mut [Serving]) -> f64 {
    let mut rounds: Vec<f64> = (0..ROUNDS).map(|_| measure(node, devices)).collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

/// Resident memory of this process in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse().expect("a number");
    kibibytes * 1024
}

fn main() {
    // Cargo adds `--bench`.
    let sessions = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let sessions = sessions.map_or(MANY, |number| number.parse().expect("a number of sessions"));
    assert!(sessions > FEW, "more than {FEW} sessions");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let _context = runtime.enter();
    let node = node::start(None);
    let principal = Principal::anonymous();
    let mut devices = Vec::with_capacity(sessions);
    devices.extend((0..FEW).map(|number| connect(&node, &principal, number)));
    let few = median(&node, &mut devices);
    let before = resident();
    devices.extend((FEW..sessions).map(|number| connect(&node, &principal, number)));
    let bytes = (resident() - before) as f64 / (sessions - FEW) as f64;
    let many = median(&node, &mut devices);
    println!(
        "{{\"sessions\": {sessions}, \"bytes_per_session\": {bytes:.0}, \
         \"few_sessions\": {FEW}, \"few_ns_per_message\": {few:.0}, \
         \"ns_per_message\": {many:.0}, \"ratio\": {:.3}}}",
        many / few
    );
    // A million sessions are not worth taking apart one by one.
    std::process::exit(0);
}
