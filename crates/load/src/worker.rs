//! One thread of the load generator: its devices, its senders and a runtime of its own.

use std::sync::Arc;
use std::sync::mpsc;

use tokio::runtime;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout_at};

use crate::backlog::{Backlog, BacklogFigures};
use crate::device::Arrivals;
use crate::failure::Failure;
use crate::fleet::Fleet;
use crate::pacer::{Timer, pace};
use crate::plan::{Pace, Plan, Presence};
use crate::schedule::Schedule;
use crate::sender::{Sender, SharedTally, Source};
use crate::tally::Tally;
use crate::window::Window;

/// What all threads do now; the main thread says so.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Phase {
    /// Connect, and wait for the others.
    Connecting,
    /// Send.
    Running(Window),
    /// Disconnect. Devices stay until all threads have finished sending.
    Over,
}

/// What a thread tells the main thread.
pub(crate) enum Progress {
    /// All its devices and senders are connected.
    Connected,
    /// Its senders are done.
    Finished(Box<Finished>),
}

/// What came of one thread's requests.
pub(crate) struct Finished {
    /// The answers.
    pub(crate) tally: Tally,
    /// What became of scheduled requests; all zero in a closed loop.
    pub(crate) backlog: BacklogFigures,
}

/// One thread.
pub(crate) struct Worker<'a> {
    /// What to do.
    pub(crate) plan: &'a Plan,
    /// Its number, from 0.
    pub(crate) thread: u32,
    /// What happens to its devices.
    pub(crate) arrivals: Arc<Arrivals>,
    /// What all threads do now.
    pub(crate) phase: watch::Receiver<Phase>,
    /// To the main thread.
    pub(crate) progress: mpsc::Sender<Result<Progress, Failure>>,
}

impl Worker<'_> {
    /// Does the work of all phases on this thread. A failure is told to the main thread; if that
    /// one does not listen any more, another thread has failed before.
    pub(crate) fn run(self) {
        let progress = self.progress.clone();
        let built = runtime::Builder::new_current_thread().enable_all().build();
        let worked = built
            .map_err(|source| Failure::System { what: "starting a runtime", source })
            .and_then(|runtime| runtime.block_on(self.work()));
        if let Err(failure) = worked {
            let _ = progress.send(Err(failure));
        }
    }

    async fn work(mut self) -> Result<(), Failure> {
        let plan = self.plan;
        let mut fleet = Fleet::new(plan.fleet.clone(), Arc::clone(&self.arrivals));
        match plan.presence {
            Presence::Connected => {
                let numbers = self.mine(plan.fleet.count).map(|number| plan.fleet.first + number);
                fleet.add(numbers).await?;
            }
            Presence::Offline => {}
        }
        let senders = Sender::connect_all(plan, self.mine(plan.senders)).await?;
        let _ = self.progress.send(Ok(Progress::Connected));
        // The main thread going away means that another thread has failed.
        let begun = self.phase.wait_for(|phase| !matches!(phase, Phase::Connecting)).await;
        let Ok(Phase::Running(window)) = begun.map(|phase| *phase) else { return Ok(()) };
        let finished = self.send(senders, window).await?;
        let _ = self.progress.send(Ok(Progress::Finished(Box::new(finished))));
        let _ = self.phase.wait_for(|phase| matches!(phase, Phase::Over)).await;
        Ok(())
    }

    /// The numbers below `count` that fall to this thread.
    fn mine(&self, count: u32) -> impl Iterator<Item = u32> + use<> {
        (self.thread..count).step_by(self.plan.threads as usize)
    }

    /// Lets all senders send until the window closes, or its deadline passes.
    async fn send(&self, senders: Vec<Sender>, window: Window) -> Result<Finished, Failure> {
        let failed = |source| Failure::System { what: "the timer of the open loop", source };
        let tally = SharedTally::new(Tally::new(self.plan.expected()));
        let open = self.open_loop().map_err(failed)?;
        let source = open.as_ref().map_or(Source::Closed, |open| {
            let backlog = Arc::clone(&open.backlog);
            Source::Open(backlog)
        });
        sleep_until(window.start.into()).await;
        let count = senders.len();
        let mut sending = JoinSet::new();
        for sender in senders {
            sending.spawn(sender.run(source.clone(), window, tally.clone()));
        }
        let all = async {
            if let Some(OpenLoop { timer, schedule, backlog }) = &open {
                pace(timer, *schedule, (window.start, window.measure_to), backlog).await?;
                backlog.finish(count);
            }
            while sending.join_next().await.is_some() {}
            Ok(())
        };
        // Past the deadline, what is on its way stays unanswered and is counted as such.
        if let Ok(paced) = timeout_at(window.deadline.into(), all).await {
            paced.map_err(failed)?;
        }
        sending.shutdown().await;
        let backlog = open.map(|open| open.backlog.figures()).unwrap_or_default();
        let tally = std::mem::replace(&mut *tally.lock(), Tally::new(self.plan.expected()));
        Ok(Finished { tally, backlog })
    }

    fn open_loop(&self) -> std::io::Result<Option<OpenLoop>> {
        let threads = self.plan.threads;
        let Pace::Open { rate, backlog } = self.plan.pace else { return Ok(None) };
        Ok(Some(OpenLoop {
            timer: Timer::new()?,
            schedule: Schedule::new(rate, self.thread, threads),
            backlog: Arc::new(Backlog::new(backlog.div_ceil(threads) as usize)),
        }))
    }
}

/// What an open loop needs on one thread.
struct OpenLoop {
    timer: Timer,
    schedule: Schedule,
    backlog: Arc<Backlog>,
}
