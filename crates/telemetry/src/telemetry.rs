//! The one door to the log and the metrics.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::entry::{Account, Scribe};
use crate::event::Event;
use crate::ring::{LogRing, RingPlace, RingSettings};
use crate::sink::{LogError, LogTarget, Sink};
use crate::thresholds::{Gate, Thresholds};
use crate::{Level, Metrics};

/// How long dropping a [`Telemetry`] waits for the log.
const DROP_WAIT: Duration = Duration::from_secs(1);

/// Where the log goes and what goes into it.
pub struct LogSettings {
    /// Where it goes.
    pub target: LogTarget,
    /// The least important level that is written.
    pub level: Level,
    /// Bytes of entries that may wait for the target; what comes beyond is dropped and counted.
    pub buffer_bytes: usize,
    /// The account that every entry names.
    pub account: String,
    /// How much of what is written is kept to be read back; nothing if not said.
    pub ring: Option<RingSettings>,
}

/// The log and the metrics of a process. Shared by `Arc`; all methods may be called from any thread.
pub struct Telemetry {
    metrics: Arc<Metrics>,
    sink: Option<Sink>,
    ring: Option<Arc<LogRing>>,
    gate: Gate,
    account: Account,
}

impl Telemetry {
    /// Opens the log and starts the thread that writes it (none for [`LogTarget::Discard`]).
    ///
    /// # Errors
    /// When the file or the folder of what is kept cannot be opened, or the thread not started.
    pub fn start(settings: LogSettings) -> Result<Self, LogError> {
        let LogSettings { target, level, buffer_bytes, account, ring } = settings;
        let metrics = Arc::new(Metrics::new());
        let ring = ring.map(open_ring).transpose()?;
        let sink = Sink::start(target, ring.clone(), buffer_bytes, Arc::clone(&metrics))?;
        let gate = Gate::new(level);
        Ok(Telemetry { metrics, sink, ring, gate, account: Account::new(&account) })
    }

    /// Counts an event and writes its entry, if its level is not below the threshold of what it is
    /// about. Never waits for the target of the log.
    pub fn record<E: Event>(&self, event: &E) {
        event.count(&self.metrics);
        if !self.gate.lets_pass(event) {
            return;
        }
        let Some(sink) = &self.sink else { return };
        thread_local! {
            static SCRIBE: RefCell<Scribe> = const { RefCell::new(Scribe::new()) };
        }
        SCRIBE.with_borrow_mut(|scribe| sink.append(scribe.write(event, &self.account)));
    }

    /// From now on entries are written as these say.
    pub fn set_thresholds(&self, thresholds: Thresholds) {
        self.gate.set(thresholds);
    }

    /// The least important level that the log was started with.
    pub fn level_started_with(&self) -> Level {
        self.gate.started_with()
    }

    /// The counters, to add to and to render.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The entries of late; none if none are kept.
    pub fn ring(&self) -> Option<&Arc<LogRing>> {
        self.ring.as_ref()
    }

    /// Waits until everything recorded before is written, but no longer than `deadline`; says
    /// whether it is.
    pub fn flush(&self, deadline: Duration) -> bool {
        self.sink.as_ref().is_none_or(|sink| sink.flush(deadline))
    }

    /// Opens the log's file anew by its name, after it was renamed by a rotation of logs. No entry
    /// is lost, and the new file has only whole ones. If the file cannot be opened the old one
    /// stays in use, which is said on standard error and counted as a write error. Nothing to do
    /// for other targets.
    pub fn reopen(&self) {
        if let Some(sink) = &self.sink {
            sink.reopen();
        }
    }
}

fn open_ring(settings: RingSettings) -> Result<Arc<LogRing>, LogError> {
    let folder = match &settings.place {
        RingPlace::Folder(folder) => folder.clone(),
        RingPlace::Memory => PathBuf::new(),
    };
    let ring = LogRing::open(settings).map_err(|cause| LogError::Ring { folder, cause })?;
    Ok(Arc::new(ring))
}

impl Drop for Telemetry {
    /// Ends the writer thread after it wrote what waits, or after a second.
    fn drop(&mut self) {
        if let Some(sink) = &self.sink {
            sink.stop();
            sink.flush(DROP_WAIT);
        }
    }
}
