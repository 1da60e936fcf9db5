//! A run with messages, from the main thread.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::backlog::BacklogFigures;
use crate::descriptors;
use crate::device::Arrivals;
use crate::failure::Failure;
use crate::plan::{Confirmation, Plan};
use crate::process::Process;
use crate::tally::Tally;
use crate::window::Window;
use crate::worker::{Finished, Phase, Progress, Worker};

/// From the word to start until the first request, so that all threads have heard it.
const START_DELAY: Duration = Duration::from_millis(20);
/// How long unconfirmed messages may be on their way after the last answer.
const ARRIVAL_GRACE: Duration = Duration::from_secs(1);

/// What a run has found out.
pub(crate) struct Measurement {
    /// The answers.
    pub(crate) tally: Tally,
    /// What became of scheduled requests; all zero in a closed loop.
    pub(crate) backlog: BacklogFigures,
    /// The measured time.
    pub(crate) measured: Duration,
    /// CPU time of the server in the measured time, if its process is known and readable.
    pub(crate) server_cpu: Option<Duration>,
    /// CPU time of the load generator in the measured time.
    pub(crate) own_cpu: Option<Duration>,
    /// Messages that devices received, the warm-up included.
    pub(crate) received: u64,
    /// Devices that lost their connection.
    pub(crate) lost: u64,
    /// How the first of them did.
    pub(crate) first_loss: Option<String>,
}

/// Connects everybody, sends, measures.
///
/// # Errors
/// When the run cannot take place.
pub(crate) fn run(plan: &Plan) -> Result<Measurement, Failure> {
    descriptors::ensure(plan.connections())?;
    let arrivals: Vec<_> = (0..plan.threads).map(|_| Arc::new(Arrivals::default())).collect();
    let (phase, phase_now) = watch::channel(Phase::Connecting);
    let (progress, progress_of_all) = mpsc::channel();
    thread::scope(|scope| {
        // Owned here, so that a failure drops it and ends the threads before the scope does.
        let conductor = Conductor { plan, phase, progress: progress_of_all, arrivals: &arrivals };
        for (thread, arrivals) in (0..).zip(&arrivals) {
            let worker = Worker {
                plan,
                thread,
                arrivals: Arc::clone(arrivals),
                phase: phase_now.clone(),
                progress: progress.clone(),
            };
            thread::Builder::new()
                .name(format!("load-{thread}"))
                .spawn_scoped(scope, move || worker.run())
                .map_err(|source| Failure::System { what: "starting a thread", source })?;
        }
        // Only the threads hold it now, so a lost thread cannot be waited for.
        drop(progress);
        conductor.conduct()
    })
}

/// Leads the threads from phase to phase.
struct Conductor<'a> {
    plan: &'a Plan,
    phase: watch::Sender<Phase>,
    progress: mpsc::Receiver<Result<Progress, Failure>>,
    arrivals: &'a [Arc<Arrivals>],
}

impl Conductor<'_> {
    fn conduct(self) -> Result<Measurement, Failure> {
        let plan = self.plan;
        for _ in 0..plan.threads {
            match self.next()? {
                Progress::Connected => {}
                Progress::Finished(_) => return Err(Failure::WorkerLost),
            }
        }
        let start = Instant::now() + START_DELAY;
        let window = Window::new(start, plan.warmup, plan.measured, plan.grace());
        self.phase.send_replace(Phase::Running(window));
        let (server_cpu, own_cpu) = self.cpu(&window);
        let (tally, backlog) = self.finished()?;
        if plan.messages.confirmation == Confirmation::None {
            self.await_arrivals(tally.accepted);
        }
        let measurement = Measurement {
            tally,
            backlog,
            measured: plan.measured,
            server_cpu,
            own_cpu,
            received: self.received(),
            lost: self.arrivals.iter().map(|arrivals| arrivals.lost()).sum(),
            first_loss: self.arrivals.iter().find_map(|arrivals| arrivals.first_loss()),
        };
        self.phase.send_replace(Phase::Over);
        Ok(measurement)
    }

    fn next(&self) -> Result<Progress, Failure> {
        self.progress.recv().unwrap_or(Err(Failure::WorkerLost))
    }

    /// CPU time of the server and of this process while the window is open.
    fn cpu(&self, window: &Window) -> (Option<Duration>, Option<Duration>) {
        let now = || {
            let server = self.plan.process.and_then(Process::cpu_time);
            (server, Process::Own.cpu_time())
        };
        let spent = |from: Option<Duration>, to: Option<Duration>| to?.checked_sub(from?);
        sleep_until(window.measure_from);
        let from = now();
        sleep_until(window.measure_to);
        let to = now();
        (spent(from.0, to.0), spent(from.1, to.1))
    }

    /// What came of the requests of all threads.
    fn finished(&self) -> Result<(Tally, BacklogFigures), Failure> {
        let mut all = Tally::new(self.plan.expected());
        let mut figures = BacklogFigures::default();
        for _ in 0..self.plan.threads {
            match self.next()? {
                Progress::Connected => return Err(Failure::WorkerLost),
                Progress::Finished(finished) => {
                    let Finished { tally, backlog } = *finished;
                    all.add(tally);
                    figures.add(backlog);
                }
            }
        }
        Ok((all, figures))
    }

    /// Without confirmation, an answer may come before the message.
    fn await_arrivals(&self, accepted: u64) {
        let until = Instant::now() + ARRIVAL_GRACE;
        while self.received() < accepted && Instant::now() < until {
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn received(&self) -> u64 {
        self.arrivals.iter().map(|arrivals| arrivals.received()).sum()
    }
}

fn sleep_until(moment: Instant) {
    thread::sleep(moment.saturating_duration_since(Instant::now()));
}
