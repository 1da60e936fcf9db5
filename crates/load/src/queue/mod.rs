//! `tenfour-load queue`: messages for sessions that are offline.
//!
//! Sessions begin, subscribe to a topic each and go. Messages are published for them until the broker
//! has acknowledged all; then all sessions come back at once for theirs. Each must get every message
//! once and in order.

mod plan;
mod publisher;
mod report;
mod subscriber;

pub(crate) use self::report::QueueReport;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::arrivals::Arrivals;
use crate::descriptors;
use crate::failure::Failure;
use crate::latency::Latencies;
use crate::options::QueueOptions;
use crate::process::Process;

use self::plan::QueuePlan;
use self::publisher::Publisher;
use self::subscriber::{Drained, Subscriber};

/// One part of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Phase {
    /// How long it took.
    pub(crate) time: Duration,
    /// CPU time of the server in it, if its process is known and readable.
    pub(crate) server_cpu: Option<Duration>,
    /// CPU time of the generator in it.
    pub(crate) own_cpu: Option<Duration>,
}

/// What all sessions got.
pub(crate) struct Deliveries {
    /// What came, and what did not.
    pub(crate) arrivals: Arrivals,
    /// From when a session began to connect until it had its last message.
    pub(crate) latencies: Latencies,
}

/// Queues and drains, and measures both.
///
/// # Errors
/// When the run cannot take place, or the broker does not answer as the protocol says.
pub(crate) fn run(options: &QueueOptions) -> Result<QueueReport<'_>, Failure> {
    let plan = QueuePlan::new(options)?;
    descriptors::ensure(plan.connections())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|source| Failure::System { what: "starting a runtime", source })?;
    let plan = Arc::new(plan);
    let (queueing, refused, draining, deliveries) = runtime.block_on(async {
        begin(&plan).await?;
        let (queueing, refused) = queue(&plan).await?;
        let (draining, deliveries) = drain(&plan).await?;
        Ok::<_, Failure>((queueing, refused, draining, deliveries))
    })?;
    Ok(QueueReport { options, plan, queueing, refused, draining, deliveries })
}

/// Begins all sessions and leaves them.
async fn begin(plan: &Arc<QueuePlan>) -> Result<(), Failure> {
    let turns = Arc::new(Semaphore::new(plan.concurrency as usize));
    let beginning = (0..plan.sessions).map(|number| {
        let (plan, turns) = (Arc::clone(plan), Arc::clone(&turns));
        async move {
            let _turn = turns.acquire().await.map_err(|_| Failure::WorkerLost)?;
            subscriber::begin(&plan, number).await
        }
    });
    all(beginning).await.map(drop)
}

/// Publishes everything, until the last PUBACK. How many PUBACKs were not as they should be.
async fn queue(plan: &Arc<QueuePlan>) -> Result<(Phase, u64), Failure> {
    let mut publishers = Vec::new();
    for number in 0..plan.publishers {
        publishers.push(Publisher::connect(plan, number).await?);
    }
    let start = Moment::now(plan.process);
    let refused = all(publishers.into_iter().map(|publisher| {
        let plan = Arc::clone(plan);
        async move { publisher.publish(&plan).await }
    }));
    let refused: u64 = refused.await?.into_iter().sum();
    Ok((start.until(Instant::now(), plan.process), refused))
}

/// Lets all sessions come back for their messages, until the last one has come; then ends them.
async fn drain(plan: &Arc<QueuePlan>) -> Result<(Phase, Deliveries), Failure> {
    let turns = Arc::new(Semaphore::new(plan.concurrency as usize));
    let start = Moment::now(plan.process);
    let back = all((0..plan.sessions).map(|number| {
        let (plan, turns) = (Arc::clone(plan), Arc::clone(&turns));
        async move {
            let turn = turns.acquire().await.map_err(|_| Failure::WorkerLost)?;
            let since = Instant::now();
            let mut subscriber = Subscriber::come_back(&plan, number).await?;
            drop(turn);
            let drained = subscriber.drain(&plan, since).await?;
            Ok((subscriber, drained))
        }
    }));
    let back: Vec<(Subscriber, Drained)> = back.await?;
    let last = back.iter().map(|(_, drained)| drained.at).max().unwrap_or(start.at);
    let phase = start.until(last, plan.process);
    let mut deliveries = Deliveries { arrivals: Arrivals::default(), latencies: Latencies::new() };
    back.iter().for_each(|(_, drained)| deliveries.latencies.record(drained.took));
    let ended = all(back.into_iter().map(|(subscriber, _)| {
        let plan = Arc::clone(plan);
        async move { subscriber.end(&plan).await }
    }));
    ended.await?.into_iter().for_each(|arrivals| deliveries.arrivals.add(arrivals));
    Ok((phase, deliveries))
}

/// Runs all of them side by side.
///
/// # Errors
/// The first one; the others end with it.
async fn all<T: Send + 'static>(
    tasks: impl Iterator<Item = impl Future<Output = Result<T, Failure>> + Send + 'static>,
) -> Result<Vec<T>, Failure> {
    let mut running = JoinSet::new();
    tasks.for_each(|task| drop(running.spawn(task)));
    let mut results = Vec::with_capacity(running.len());
    while let Some(ended) = running.join_next().await {
        results.push(ended.map_err(|_| Failure::WorkerLost)??);
    }
    Ok(results)
}

/// The beginning of a phase.
struct Moment {
    at: Instant,
    server_cpu: Option<Duration>,
    own_cpu: Option<Duration>,
}

impl Moment {
    fn now(server: Option<Process>) -> Self {
        Self {
            server_cpu: server.and_then(Process::cpu_time),
            own_cpu: Process::Own.cpu_time(),
            at: Instant::now(),
        }
    }

    /// The phase that ended at `end`, which was just now.
    fn until(self, end: Instant, server: Option<Process>) -> Phase {
        let now = Self::now(server);
        let spent = |from: Option<Duration>, to: Option<Duration>| to?.checked_sub(from?);
        Phase {
            time: end.saturating_duration_since(self.at),
            server_cpu: spent(self.server_cpu, now.server_cpu),
            own_cpu: spent(self.own_cpu, now.own_cpu),
        }
    }
}
