//! One Tenfour process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use engine::Moment;
use engine::access::Access;
use engine::departures::Departures;
use engine::directory::Directory;
use engine::limits::Bounds;
use engine::rate::Bucket;
use engine::retained::RetainedMessages;
use engine::session::Rules;
use parking_lot::{Mutex, RwLock};
use policy::Scope;
use store::{Journal, Records, StoreError};
use telemetry::Telemetry;
use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::Clock;
use crate::arrivals::Arrivals;
use crate::devices::Devices;
use crate::dismissal::Dismissals;
use crate::keeper::Keeper;
use crate::lifecycle::Lifecycle;
use crate::named_clients::NamedClients;
use crate::rate_queue::RateQueue;
use crate::responses::Responses;
use crate::restore::Contents;
use crate::shadows::Shadows;
use crate::subscriptions::Subscriptions;
use crate::target::Turns;
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
    /// What sessions, retained messages and shadows are read from at the start and kept in; none keeps them
    /// in memory only.
    pub kept: Option<Storage>,
}

/// What outlives the process.
pub struct Storage {
    /// The records.
    pub records: Arc<dyn Records>,
    /// What commits to them.
    pub journal: Arc<Journal>,
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
    pub(crate) retained: RwLock<RetainedMessages>,
    pub(crate) shadows: Shadows,
    pub(crate) keeper: Keeper,
    pub(crate) turns: Turns,
    pub(crate) arrivals: Arrivals,
    pub(crate) rate_queue: RateQueue,
    pub(crate) responses: Responses,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) dismissals: Dismissals,
    /// For what is begun on threads of others.
    pub(crate) runtime: Handle,
    pub(crate) timers: Timers,
    pub(crate) budgets: Budgets,
    pub(crate) named_clients: NamedClients,
    /// How connections ended. The last lock that anybody takes.
    pub(crate) departures: Mutex<Departures>,
    pub(crate) connected: AtomicUsize,
    /// Wills that are about to be published.
    pub(crate) wills: AtomicUsize,
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
    pub(crate) queued: Bucket,
    pub(crate) retained: Bucket,
    pub(crate) control: Bucket,
    pub(crate) shadows: Bucket,
}

impl Node {
    /// A node with no connections, and with the sessions, retained messages and shadows that were kept.
    /// Spawns its tasks on the present runtime; they end when the node is dropped.
    ///
    /// # Errors
    /// What was kept cannot be read.
    pub fn start(settings: NodeSettings) -> Result<Arc<Self>, StoreError> {
        let clock = Clock::start();
        let mut contents = match &settings.kept {
            Some(kept) => {
                let total = &settings.rules.queued;
                Contents::read(kept.records.as_ref(), clock.wall(), total)?
            }
            None => Contents::default(),
        };
        let shadows = std::mem::take(&mut contents.shadows);
        let shadows = Shadows::new(shadows, settings.bounds.shadow_bytes);
        let opened = contents.opened(clock.now().since(Moment::START));
        let (lifecycle, events) = Lifecycle::new(settings.rules.profile);
        let (dismissals, dismissed) = Dismissals::new();
        let node = Arc::new(Node {
            rules: Arc::new(settings.rules),
            departures: Mutex::new(Departures::new(&settings.bounds)),
            bounds: settings.bounds,
            access: Access::new(
                settings.scope,
                clock.started_at(),
                Arc::clone(&settings.directory),
            ),
            directory: settings.directory,
            telemetry: settings.telemetry,
            clock,
            devices: Devices::new(),
            subscriptions: Subscriptions::default(),
            retained: RwLock::new(std::mem::take(&mut contents.retained)),
            shadows,
            keeper: Keeper::new(settings.kept, clock.wall(), contents.next_number),
            turns: Turns::default(),
            arrivals: Arrivals::default(),
            rate_queue: RateQueue::default(),
            responses: Responses::default(),
            lifecycle,
            dismissals,
            runtime: Handle::current(),
            timers: Timers::default(),
            budgets: Budgets::default(),
            named_clients: NamedClients::default(),
            connected: AtomicUsize::new(0),
            wills: AtomicUsize::new(0),
            farewells: AtomicUsize::new(0),
            epochs: AtomicU64::new(0),
            draining: AtomicBool::new(false),
            drains: Notify::new(),
        });
        if node.keeper.is_storing() {
            node.telemetry.record(&opened);
        }
        node.restore(contents);
        tokio::spawn(crate::timers::run(Arc::downgrade(&node)));
        tokio::spawn(crate::lifecycle::run(Arc::downgrade(&node), events));
        tokio::spawn(crate::dismissal::run(Arc::downgrade(&node), dismissed));
        Ok(node)
    }

    /// Calls `then` after that time, on a thread of the runtime; it must not wait.
    pub fn call_after(&self, time: Duration, then: impl FnOnce() + Send + 'static) {
        self.runtime.spawn(async move {
            tokio::time::sleep(time).await;
            then();
        });
    }

    /// What turns moments into times of the wall clock.
    pub fn wall(&self) -> engine::Wall {
        self.clock.wall()
    }

    /// What the wall clock says now of a moment, in nanoseconds since 1970.
    pub fn unix_nanos(&self, moment: Moment) -> u64 {
        self.clock.unix_nanos(moment)
    }

    /// Makes everything durable and keeps nothing more: the last step of a process.
    pub fn close_store(&self) {
        self.keeper.close();
    }

    /// Why messages and sessions cannot be kept any more, if that is so: one sentence.
    pub fn store_failure(&self) -> Option<String> {
        self.keeper.failure().map(|failure| failure.sentence().to_owned())
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

    /// Draws a request to the control plane from the account's rate; false if it is exceeded.
    pub fn draw_control_request(&self) -> bool {
        let rate = self.rules.quotas.control_requests;
        self.budgets.control.take(rate, self.now()).is_ok()
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
    pub async fn drain_begun(&self) {
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
