//! A dry run of a direct message says what the next message meets, and changes nothing.

use std::sync::Arc;
use std::time::Duration;

use broker::{DryRun, Entrance, Node, Serving};
use engine::access::{Peer, SendPermit};
use engine::direct::DirectMessage;
use engine::directory::{Grants, Principal, PrincipalKind, Status};
use engine::limits::{Bounds, Quotas};
use engine::outcome::DirectOutcome;
use engine::rate::Rate;
use mqtt::{ClientId, Properties, ReasonCode, TopicName, Version};
use policy::{Document, PolicySet};
use proptest::prelude::*;

use crate::device::{Device, Got, Wish, connect_bytes};
use crate::fixture::{confirm, dispatch, node, node_with, send};

const LONG: Duration = Duration::from_secs(600);

/// What a test asks about.
#[derive(Clone, Copy, Debug)]
struct Asked {
    payload: usize,
    confirmed: bool,
    deadline: bool,
}

impl Asked {
    fn message<'a>(&self, payload: &'a [u8]) -> DirectMessage<'a> {
        DirectMessage {
            topic: TopicName::parse("commands/reboot").expect("valid"),
            payload: &payload[..self.payload],
            properties: Properties::EMPTY,
            optional: None,
            confirmation: self.confirmed.then_some(LONG),
            deadline: self.deadline.then_some(LONG),
        }
    }
}

const PLAIN: Asked = Asked { payload: 2, confirmed: false, deadline: false };
const CONFIRMED: Asked = Asked { confirmed: true, ..PLAIN };
const BYTES: [u8; 4_096] = [b'-'; 4_096];

fn permit(node: &Node, client_id: &ClientId) -> SendPermit {
    let sender = Peer {
        principal: Principal::anonymous(),
        source: ([127, 0, 0, 1], 2).into(),
        secure: true,
        client_id: None,
        thing: None,
    };
    let topic = TopicName::parse("commands/reboot").expect("valid");
    node.access().send_direct(&sender, client_id, topic, node.now()).expect("anybody may")
}

fn dry_run(node: &Node, client_id: &str, asked: Asked) -> DryRun {
    let client_id = ClientId::parse(client_id).expect("valid");
    node.dry_run_direct(&permit(node, &client_id), &client_id, &asked.message(&BYTES))
}

/// Sends it in earnest.
fn real(node: &Arc<Node>, client_id: &str, asked: Asked) -> DirectOutcome {
    let client_id = ClientId::parse(client_id).expect("valid");
    let (settle, _) = broker::Confirmation::channel();
    let waiter = || broker::Waiter::new(settle);
    let permit = permit(node, &client_id);
    let message = asked.message(&BYTES);
    let hand_over = broker::HandOver { client_id: &client_id, message: &message, routed: None };
    match node.send_direct(permit, hand_over, waiter) {
        Ok(_) => DirectOutcome::Dispatched,
        Err(settled) => settled.outcome,
    }
}

/// A device whose policy lets it connect and nothing else.
async fn mute(node: &Arc<Node>, client_id: &str) -> Device {
    let policy = r#"{"Version":"2012-10-17","Statement":
        {"Effect":"Allow","Action":"iot:Connect","Resource":"*"}}"#;
    let policy = Document::parse(policy).expect("a policy");
    let grants = Grants {
        status: Status::Active,
        policies: PolicySet::new(vec![("mute".to_owned(), Arc::new(policy))]),
        things: Vec::new(),
        exclusive_thing: None,
    };
    let none = std::iter::empty::<(String, Vec<String>)>().collect();
    let (ours, theirs) = tokio::io::duplex(1_024);
    let entrance = Entrance {
        principal: Principal::new("mute", PrincipalKind::Certificate, none, grants),
        source: ([127, 0, 0, 1], 1).into(),
        secure: true,
        life: None,
    };
    tokio::spawn(Serving::new(Arc::clone(node), Box::new(theirs), entrance));
    let mut device = Device::over(ours, Version::V5);
    device.write(&connect_bytes(client_id, &Wish::default())).await;
    assert!(matches!(device.next().await, Got::ConnAck { reason: ReasonCode::Success, .. }));
    device
}

#[tokio::test]
async fn a_device_gets_nothing_of_it_and_no_packet_id_is_taken() {
    let node = node();
    let mut device = Device::connect(&node, "lamp").await;
    for asked in [CONFIRMED, PLAIN, Asked { deadline: true, ..PLAIN }].repeat(50) {
        let run = dry_run(&node, "lamp", asked);
        assert_eq!(run.outcome, DirectOutcome::Dispatched);
        let receiver = run.receiver.expect("it is connected");
        assert_eq!(receiver.prospect.inflight, 0);
        assert!(receiver.allowed && receiver.writable && !receiver.opening);
    }
    let sending = confirm(&node, "lamp", LONG);
    let answering = async {
        let first = device.next_id().await;
        assert_eq!(first, 1, "the first packet since the CONNACK has the first packet ID");
        device.acknowledge(first, ReasonCode::Success).await;
    };
    let ((outcome, _), ()) = tokio::join!(sending, answering);
    assert_eq!(outcome, DirectOutcome::Acknowledged);
}

#[tokio::test]
async fn no_rate_is_used_up() {
    let once = Some(Rate { per_second: 1, burst: 2 });
    let quotas = Quotas {
        send_direct_message: once,
        publishes_per_connection: once,
        ..Quotas::default().without_rates()
    };
    let node = node_with(quotas, Bounds::default());
    let _device = Device::connect(&node, "lamp").await;
    for _ in 0..2 {
        for _ in 0..100 {
            assert_eq!(dry_run(&node, "lamp", PLAIN).outcome, DirectOutcome::Dispatched);
        }
        assert_eq!(send(&node, "lamp", b""), DirectOutcome::Dispatched);
    }
}

#[tokio::test]
async fn a_full_window_is_told_and_what_is_in_it() {
    let node = node();
    let wish = Wish { receive_maximum: Some(3), ..Wish::default() };
    let (_device, _) = Device::connect_with(&node, "lamp", wish).await;
    for inflight in 0..3 {
        let receiver = dry_run(&node, "lamp", CONFIRMED).receiver.expect("it is connected");
        assert_eq!((receiver.prospect.inflight, receiver.prospect.window), (inflight, 3));
        dispatch(&node, "lamp", b"", Some(LONG)).expect("there is room");
    }
    assert_eq!(dry_run(&node, "lamp", CONFIRMED).outcome, DirectOutcome::ReceiverWindowFull);
    assert_eq!(dry_run(&node, "lamp", PLAIN).outcome, DirectOutcome::Dispatched);
}

#[tokio::test]
async fn a_full_socket_is_told() {
    let node = node();
    let wish = Wish { pipe: 512, ..Wish::default() };
    let (_device, _) = Device::connect_with(&node, "lamp", wish).await;
    for _ in 0..4 {
        assert_eq!(send(&node, "lamp", &BYTES[..400]), DirectOutcome::Dispatched);
    }
    let now_or_never = Asked { deadline: true, ..PLAIN };
    let run = dry_run(&node, "lamp", now_or_never);
    assert_eq!(run.outcome, DirectOutcome::ReceiverNotWritable);
    assert!(!run.receiver.expect("it is connected").writable);
    assert_eq!(real(&node, "lamp", now_or_never), DirectOutcome::ReceiverNotWritable);
    assert_eq!(dry_run(&node, "lamp", PLAIN).outcome, DirectOutcome::Dispatched, "it can wait");
}

#[tokio::test]
async fn a_device_that_may_not_receive_is_told_apart() {
    let node = node();
    let _device = mute(&node, "mute").await;
    let run = dry_run(&node, "mute", PLAIN);
    assert_eq!(run.outcome, DirectOutcome::ReceiverUnauthorized);
    let receiver = run.receiver.expect("it is connected");
    assert!(!receiver.allowed);
    assert_eq!(&*receiver.peer.principal.id, "mute");
    assert!(node.peer_of("mute", receiver.epoch).is_some());
    assert!(node.peer_of("mute", receiver.epoch + 1).is_none());
}

#[tokio::test]
async fn a_session_without_a_connection_is_told_apart() {
    let node = node();
    let wish = Wish { expiry: Some(600), ..Wish::default() };
    let (device, _) = Device::connect_with(&node, "lamp", wish).await;
    assert!(dry_run(&node, "lamp", PLAIN).persistent);
    drop(device);
    crate::fixture::eventually(|| node.connected() == 0).await;
    let run = dry_run(&node, "lamp", PLAIN);
    assert_eq!(run.outcome, DirectOutcome::TargetNotConnected);
    assert!(run.persistent && run.receiver.is_none());
    let run = dry_run(&node, "nobody", PLAIN);
    assert_eq!(run.outcome, DirectOutcome::TargetNotFound);
    assert!(!run.persistent && run.receiver.is_none());
}

/// What the device of a case is like.
#[derive(Clone, Copy, Debug)]
enum Target {
    Absent,
    Offline,
    Mute,
    Connected { version: Version, window: u16, pipe: usize },
}

fn target() -> impl Strategy<Value = Target> {
    let version = prop_oneof![Just(Version::V311), Just(Version::V5)];
    let connected = (version, 1..4_u16, prop_oneof![Just(64 * 1024_usize), Just(1_000)]);
    prop_oneof![
        1 => Just(Target::Absent),
        1 => Just(Target::Offline),
        1 => Just(Target::Mute),
        6 => connected.prop_map(|(version, window, pipe)| {
            Target::Connected { version, window, pipe }
        }),
    ]
}

fn asked() -> impl Strategy<Value = Asked> {
    (0..1_500_usize, any::<bool>(), any::<bool>())
        .prop_map(|(payload, confirmed, deadline)| Asked { payload, confirmed, deadline })
}

/// The device of a case; it reads nothing after its CONNACK.
async fn arrange(node: &Arc<Node>, target: Target) -> Option<Device> {
    match target {
        Target::Absent => None,
        Target::Offline => {
            let wish = Wish { expiry: Some(600), ..Wish::default() };
            drop(Device::connect_with(node, "lamp", wish).await);
            crate::fixture::eventually(|| node.connected() == 0).await;
            None
        }
        Target::Mute => Some(mute(node, "lamp").await),
        Target::Connected { version, window, pipe } => {
            let receive_maximum = (version == Version::V5).then_some(window);
            let wish = Wish { version, pipe, receive_maximum, ..Wish::default() };
            Some(Device::connect_with(node, "lamp", wish).await.0)
        }
    }
}

/// What was foreseen of each message and what happened, on a node that nothing else changes.
async fn foreseen_and_real(
    target: Target,
    bursts: (u32, u32),
    all: &[Asked],
) -> Vec<(Asked, DryRun, DirectOutcome)> {
    let rate = |burst| Some(Rate { per_second: 1, burst });
    let quotas = Quotas {
        send_direct_message: rate(bursts.0),
        publishes_per_connection: rate(bursts.1),
        ..Quotas::default().without_rates()
    };
    let bounds = Bounds { outbound_buffer_bytes: 2_048, ..Bounds::default() };
    let node = node_with(quotas, bounds);
    let _device = arrange(&node, target).await;
    all.iter()
        .map(|asked| (*asked, dry_run(&node, "lamp", *asked), real(&node, "lamp", *asked)))
        .collect()
}

/// Whether a moment that passed in between explains that the two differ.
fn is_of_time(foreseen: &DirectOutcome) -> bool {
    matches!(foreseen, DirectOutcome::AccountThrottled | DirectOutcome::ReceiverThrottled)
}

/// Whether nobody could know: nothing waited, and yet the socket took nothing.
fn is_of_the_socket(asked: Asked, run: &DryRun, real: &DirectOutcome) -> bool {
    let writable = run.receiver.as_ref().is_some_and(|receiver| receiver.writable);
    asked.message(&BYTES).is_now_or_never()
        && writable
        && *real == DirectOutcome::ReceiverNotWritable
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn the_verdict_of_a_dry_run_is_what_happens_then(
        target in target(),
        bursts in (1..12_u32, 1..8_u32),
        all in prop::collection::vec(asked(), 1..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        // A token may come back between the two; hardly twice at the same place.
        for attempt in 1..=3 {
            let ended = runtime.block_on(foreseen_and_real(target, bursts, &all));
            let differing = ended.iter().find(|(asked, run, real)| {
                run.outcome != *real && !is_of_the_socket(*asked, run, real)
            });
            let Some((asked, run, real)) = differing else { break };
            let again = is_of_time(&run.outcome) && attempt < 3;
            prop_assert!(again, "{asked:?}: {run:?}, and then {real:?}");
        }
    }
}
