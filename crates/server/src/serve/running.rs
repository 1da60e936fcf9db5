//! Start and stop.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use api::{Api, Registrar};
use broker::{FAREWELL, Node, NodeSettings, Storage};
use engine::session::Rules;
use policy::Scope;
use store::Durability;
use telemetry::{LogError, LogSettings, RingPlace, RingSettings, Telemetry, event};
use tokio::sync::watch;
use tokio::time::Instant;

use super::listen::{self, Doors};
use super::occupancy::Occupancy;
use super::reload::Reloader;
use super::shards::Shards;
use super::tls::{TlsError, TlsPlans};
use super::traces::Traces;
use super::webhook::Webhook;
use crate::config::{self, Config, ListenerName, Mistakes};
use crate::dev::{DataFolder, ReadyFile};
use crate::registry::Registry;

/// How long the end may take beyond the drain: the last bytes and the log.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The most bytes of log entries that are kept in memory to be read back.
const RING_IN_MEMORY: u64 = 16 * 1024 * 1024;

/// A server that accepts on all its listeners.
pub struct Running {
    /// What a script needs to use it.
    pub ready: ReadyFile,
    api: Arc<Api>,
    reloader: Reloader,
    draining: watch::Sender<bool>,
    occupancy: Occupancy,
    webhook: Option<Webhook>,
    traces: Option<Traces>,
}

/// Why a server does not start.
#[derive(Debug)]
pub enum StartError {
    /// The registry is wrong.
    Mistakes(Mistakes),
    /// The server's certificate cannot be used.
    Tls(TlsError),
    /// The log cannot be written.
    Log(LogError),
    /// What an earlier process kept cannot be used.
    Store(store::StoreError),
    /// The webhook's URL cannot be used.
    Webhook(client::SendError),
    /// The collector of traces cannot be used.
    Traces(client::SendError),
    /// There are no threads to run on.
    Threads(io::Error),
    /// A listener cannot have its address.
    Listen(ListenerName, SocketAddr, io::Error),
    /// A listener needs what the configuration does not give it.
    Listener(ListenerName, &'static str),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Mistakes(mistakes) => write!(f, "{mistakes}"),
            StartError::Tls(error) => write!(f, "{error}"),
            StartError::Log(error) => write!(f, "{error}"),
            StartError::Store(error) => write!(f, "{error}"),
            StartError::Webhook(error) => write!(f, "webhook: {error}"),
            StartError::Traces(error) => write!(f, "traces: {error}"),
            StartError::Threads(error) => write!(f, "no threads to run on: {error}"),
            StartError::Listen(name, address, error) => write!(
                f,
                "listener {name} cannot have {address}: {error}; take free ports with \
                 --ephemeral-ports, or another address with --listen {name}=HOST:PORT"
            ),
            StartError::Listener(name, what) => write!(f, "listener {name} {what}"),
        }
    }
}

impl std::error::Error for StartError {}

/// Starts a server on the present runtime; returns once all listeners accept. `folder` is the data
/// folder of `tenfour dev`, whose device and senders go into the ready data.
///
/// # Errors
/// [`StartError`], with nothing left running.
pub async fn start(config: Config, folder: Option<&DataFolder>) -> Result<Running, StartError> {
    super::open_files::raise();
    let telemetry = Arc::new(Telemetry::start(log_settings(&config)).map_err(StartError::Log)?);
    let opened = super::storage::open(&config.storage, &telemetry).map_err(StartError::Store)?;
    let (storage, outcomes) = opened.map(|opened| opened.split(&config.bounds, &telemetry)).unzip();
    let registrar = registrar(&config, storage.as_ref())?;
    registrar.set_thresholds(&telemetry);
    let registry = Registry::open_beside(&config, Arc::clone(&registrar));
    let mut registry = registry.map_err(StartError::Mistakes)?;
    for warning in config.warnings().iter().chain(registry.warnings().iter()) {
        eprintln!("tenfour: warning: {warning}");
    }
    let node = Node::start(NodeSettings {
        scope: Scope::new(&config.region, &config.account),
        rules: Rules::new(config.profile, config.quotas, &config.bounds),
        bounds: config.bounds.clone(),
        directory: registry.directory(),
        telemetry: Arc::clone(&telemetry),
        kept: storage,
    })
    .map_err(StartError::Store)?;
    let plans = config.tls.as_ref().map(TlsPlans::load).transpose().map_err(StartError::Tls)?;
    let region = config.region.clone();
    let mut api = match outcomes {
        None => Api::new(node, registrar, region),
        Some(outcomes) => {
            let opened = Api::open(node, registrar, region, |visit| outcomes.open(visit));
            opened.map_err(StartError::Store)?
        }
    };
    let webhook = webhook(&config, &telemetry)?;
    if let Some(webhook) = &webhook {
        api.tell_receipts(webhook.listener());
    }
    let traces = traces(&config, &telemetry)?;
    if let (Some(traces), Some(wanted)) = (&traces, &config.traces) {
        let (sampler, to_devices) = (wanted.sampler, wanted.to_devices);
        api.trace(api::Traces { sink: traces.sink(), sampler, to_devices });
    }
    let api = Arc::new(api);
    let (draining, drains) = watch::channel(false);
    let shards = Arc::new(Shards::start(config.threads).map_err(StartError::Threads)?);
    let occupancy = Occupancy::new(config.bounds.sockets);
    let doors = Doors {
        api: Arc::clone(&api),
        plans,
        draining: drains,
        shards,
        occupancy: occupancy.clone(),
    };
    let addresses = listen::open(&config.listeners, &mut registry, doors).await?;
    for (name, address) in &addresses {
        telemetry.record(&event::Server::ListenerStarted { name, address: *address });
    }
    let ready = ready_file(&config, folder, addresses);
    let reloader = Reloader::spawn(registry, Arc::clone(&api));
    Ok(Running { ready, api, reloader, draining, occupancy, webhook, traces })
}

impl Running {
    /// Looks at the registry now and opens the log anew, as after a rotation.
    pub fn reload(&self) {
        self.reloader.look_now();
        self.api.node().telemetry().reopen();
    }

    /// Drains and stops: no new connections, deliveries in flight settle, devices are told. Takes
    /// at most the configured drain time and a few seconds for last bytes.
    pub async fn stop(self) {
        let node = Arc::clone(self.api.node());
        node.telemetry().record(&event::Server::DrainStarted { connections: node.connected() });
        let patience = node.bounds().drain;
        let until = Instant::now() + patience;
        // Whoever hears of the drain finds it begun.
        node.start_draining();
        // No receiver is left when every connection is gone already; that is as good.
        let _ = self.draining.send(true);
        let drained = tokio::time::timeout(patience + FAREWELL + LAST_WORDS, async {
            node.drain(patience).await;
            self.occupancy.emptied().await;
        });
        // What is still open when the time is up is cut off with the process.
        let _ = drained.await;
        let cut_off = self.occupancy.open();
        if let Some(webhook) = self.webhook {
            webhook.finish(until.max(Instant::now() + LAST_WORDS)).await;
        }
        if let Some(traces) = self.traces {
            traces.finish(until.max(Instant::now() + LAST_WORDS)).await;
        }
        node.telemetry().record(&event::Server::DrainFinished { cut_off });
        self.api.close();
        node.close_store();
        node.telemetry().flush(LAST_WORDS);
    }
}

/// What was registered through the API, if anything outlives the process.
fn registrar(config: &Config, storage: Option<&Storage>) -> Result<Arc<Registrar>, StartError> {
    let scope = Scope::new(&config.region, &config.account);
    match storage {
        None => Ok(Registrar::new(scope)),
        Some(Storage { records, journal }) => {
            let opened = Registrar::open(scope, records.as_ref(), Arc::clone(journal));
            opened.map_err(StartError::Store)
        }
    }
}

fn webhook(config: &Config, telemetry: &Arc<Telemetry>) -> Result<Option<Webhook>, StartError> {
    let start = |webhook: &config::Webhook| {
        Webhook::start(webhook.clone(), config.bounds.webhook_queue, Arc::clone(telemetry))
    };
    config.webhook.as_ref().map(start).transpose().map_err(StartError::Webhook)
}

fn traces(config: &Config, telemetry: &Arc<Telemetry>) -> Result<Option<Traces>, StartError> {
    let start = |traces: &config::Traces| {
        Traces::start(traces, config.bounds.trace_queue, Arc::clone(telemetry))
    };
    config.traces.as_ref().map(start).transpose().map_err(StartError::Traces)
}

fn log_settings(config: &Config) -> LogSettings {
    LogSettings {
        target: match &config.log.target {
            config::LogTarget::Stdout => telemetry::LogTarget::Stdout,
            config::LogTarget::File(path) => telemetry::LogTarget::File(path.clone()),
        },
        level: api::log_level(config.log.level),
        buffer_bytes: config.bounds.log_buffer_bytes,
        account: config.account.clone(),
        ring: config.log.kept.as_ref().map(|kept| ring_settings(kept, config.storage.durability)),
    }
}

/// What nothing outlives the process of is kept in memory, and less of it.
fn ring_settings(kept: &config::KeptLog, durability: Durability) -> RingSettings {
    let config::KeptLog { folder, bytes, age } = kept.clone();
    match durability {
        Durability::Memory => {
            RingSettings { place: RingPlace::Memory, bytes: bytes.min(RING_IN_MEMORY), age }
        }
        Durability::Always | Durability::Batched => {
            RingSettings { place: RingPlace::Folder(folder), bytes, age }
        }
    }
}

fn ready_file(
    config: &Config,
    folder: Option<&DataFolder>,
    listeners: BTreeMap<&'static str, SocketAddr>,
) -> ReadyFile {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    ReadyFile {
        listeners,
        ca: config.tls.as_ref().and_then(|tls| tls.ca.as_deref()).map(absolute),
        device: folder.and_then(DataFolder::device),
        sender: folder.and_then(|folder| folder.sender("backend")),
        admin: folder.and_then(|folder| folder.sender("admin")),
        region: config.region.clone(),
        account: config.account.clone(),
        log: config.log_file().map(absolute),
        pid: std::process::id(),
    }
}
