//! One Tenfour process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use engine::Moment;
use engine::access::Access;
use engine::directory::Directory;
use engine::limits::Bounds;
use engine::rate::Bucket;
use engine::session::Rules;
use policy::Scope;
use telemetry::Telemetry;
use tokio::sync::Notify;

use crate::Clock;
use crate::devices::Devices;
use crate::subscriptions::Subscriptions;
use crate::timers::Timers;

/// What a node is made from.
pub struct NodeSettings {
    /// Region and account.
    pub scope: Scope,
    /// The protocol's rules and quotas.
    pub rules: Rules,
    /// What protects the process.
    pub bounds: Bounds,
    /// Who there is; swapped by whoever loads it.
    pub directory: Arc<ArcSwap<Directory>>,
    /// Where events go.
    pub telemetry: Arc<Telemetry>,
}

/// One Tenfour process: its devices, subscriptions, quotas and clock.
pub struct Node {
    pub(crate) rules: Arc<Rules>,
    pub(crate) bounds: Bounds,
    pub(crate) access: Access,
    pub(crate) directory: Arc<ArcSwap<Directory>>,
    pub(crate) telemetry: Arc<Telemetry>,
    pub(crate) clock: Clock,
    pub(crate) devices: Devices,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) timers: Timers,
    pub(crate) budgets: Budgets,
    pub(crate) connected: AtomicUsize,
    /// Connections whose last bytes are being written.
    pub(crate) farewells: AtomicUsize,
    epochs: AtomicU64,
    draining: AtomicBool,
    drains: Notify,
}

/// The account's rates.
#[derive(Default)]
pub(crate) struct Budgets {
    pub(crate) direct: Bucket,
    pub(crate) connects: Bucket,
    pub(crate) inbound: Bucket,
    pub(crate) outbound: Bucket,
    pub(crate) subscribes: Bucket,
}

impl Node {
    /// A node with no connections. Spawns its timer task on the present runtime; it ends when the
    /// node is dropped.
    pub fn start(settings: NodeSettings) -> Arc<Self> {
        let clock = Clock::start();
        let node = Arc::new(Node {
            rules: Arc::new(settings.rules),
            bounds: settings.bounds,
            access: Access::new(settings.scope, clock.started_at()),
            directory: settings.directory,
            telemetry: settings.telemetry,
            clock,
            devices: Devices::new(),
            subscriptions: Subscriptions::default(),
            timers: Timers::default(),
            budgets: Budgets::default(),
            connected: AtomicUsize::new(0),
            farewells: AtomicUsize::new(0),
            epochs: AtomicU64::new(0),
            draining: AtomicBool::new(false),
            drains: Notify::new(),
        });
        tokio::spawn(crate::timers::run(Arc::downgrade(&node)));
        node
    }

    /// The present moment.
    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// The questions asked of policies.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Who is registered at present.
    pub fn directory(&self) -> arc_swap::Guard<Arc<Directory>> {
        self.directory.load()
    }

    /// The protocol's rules and quotas.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// What protects the process.
    pub fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// Where events go.
    pub fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    /// How many devices are connected.
    pub fn connected(&self) -> usize {
        self.connected.load(Ordering::Relaxed)
    }

    /// Whether the node is shutting down and takes nothing new.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Takes nothing new from now on; the first part of [`Node::drain`].
    pub fn start_draining(&self) {
        self.draining.store(true, Ordering::Release);
        self.drains.notify_waiters();
    }

    /// Waits until the node takes nothing new any more.
    pub(crate) async fn drain_begun(&self) {
        loop {
            let begun = self.drains.notified();
            if self.is_draining() {
                return;
            }
            begun.await;
        }
    }

    pub(crate) fn farewells(&self) -> usize {
        self.farewells.load(Ordering::Relaxed)
    }

    pub(crate) fn next_epoch(&self) -> u64 {
        self.epochs.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn write_stall(&self) -> Duration {
        self.bounds.write_stall
    }
}
