//! `tenfour-load connects`: devices that come and go.
//!
//! Each cycle is a TCP connection, over TLS a handshake, CONNECT, CONNACK, DISCONNECT and close,
//! with a client ID that nobody has had before, or of a session that is resumed. Over TLS, whoever
//! comes again resumes its TLS session.

mod cycles;
mod plan;
mod report;
mod tally;

pub(crate) use self::report::ConnectsReport;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::descriptors;
use crate::failure::Failure;
use crate::options::ConnectsOptions;
use crate::process::Process;
use crate::window::Window;

use self::cycles::Cycles;
use self::plan::ConnectsPlan;
use self::tally::ConnectTally;

/// How long a cycle that has begun in time may take after the end.
const GRACE: Duration = Duration::from_secs(10);

/// Lets devices come and go, and measures.
///
/// # Errors
/// When the run cannot take place.
pub(crate) fn run(options: &ConnectsOptions) -> Result<ConnectsReport<'_>, Failure> {
    let plan = ConnectsPlan::new(options)?;
    descriptors::ensure(plan.concurrency.into())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|source| Failure::System { what: "starting a runtime", source })?;
    runtime.block_on(async {
        let places = begin(&plan).await?;
        let window = Window::new(Instant::now(), plan.warmup, plan.measured, GRACE);
        let tally = Arc::new(Mutex::new(ConnectTally::new()));
        let mut coming_and_going = JoinSet::new();
        for cycles in places {
            coming_and_going.spawn(cycles.run(window, Arc::clone(&tally)));
        }
        let now = || (plan.process.and_then(Process::cpu_time), Process::Own.cpu_time());
        let spent = |from: Option<Duration>, to: Option<Duration>| to?.checked_sub(from?);
        tokio::time::sleep_until(window.measure_from.into()).await;
        let from = now();
        tokio::time::sleep_until(window.measure_to.into()).await;
        let to = now();
        let all = async { while coming_and_going.join_next().await.is_some() {} };
        let in_time = tokio::time::timeout_at(window.deadline.into(), all).await.is_ok();
        coming_and_going.shutdown().await;
        let empty = ConnectTally::new();
        let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(ConnectsReport {
            options,
            address: plan.connector.endpoint().to_string(),
            tally: std::mem::replace(&mut *tally, empty),
            in_time,
            measured: plan.measured,
            server_cpu: spent(from.0, to.0),
            own_cpu: spent(from.1, to.1),
        })
    })
}

/// All places, with the sessions that they will resume.
///
/// # Errors
/// The first session that is not begun.
async fn begin(plan: &ConnectsPlan) -> Result<Vec<Cycles>, Failure> {
    let mut beginning = JoinSet::new();
    for place in 0..plan.concurrency {
        let cycles = Cycles::new(plan, place);
        beginning.spawn(async move { cycles.begin_sessions().await.map(|()| cycles) });
    }
    let mut places = Vec::new();
    while let Some(begun) = beginning.join_next().await {
        places.push(begun.map_err(|_| Failure::WorkerLost)??);
    }
    Ok(places)
}
