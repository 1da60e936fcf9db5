//! `tenfour-load connects`: devices that come and go.
//!
//! Each cycle is a TCP connection, over TLS a handshake, CONNECT, CONNACK, DISCONNECT and close,
//! with a client ID that nobody has had before. Over TLS, whoever comes again resumes its session.

mod cycles;
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
use crate::target::Target;
use crate::window::Window;

use self::cycles::Cycles;
use self::tally::ConnectTally;

/// How long a cycle that has begun in time may take after the end.
const GRACE: Duration = Duration::from_secs(10);

/// Lets devices come and go, and measures.
///
/// # Errors
/// When the run cannot take place.
pub(crate) fn run(options: &ConnectsOptions) -> Result<ConnectsReport<'_>, Failure> {
    let target = Target::new(&options.target)?;
    let connector = target.devices(options.device_transport)?;
    let address = connector.endpoint().to_string();
    descriptors::ensure(options.concurrency.into())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|source| Failure::System { what: "starting a runtime", source })?;
    let seconds = |count: u32| Duration::from_secs(count.into());
    runtime.block_on(async {
        let window =
            Window::new(Instant::now(), seconds(options.warmup), seconds(options.seconds), GRACE);
        let tally = Arc::new(Mutex::new(ConnectTally::new()));
        let mut coming_and_going = JoinSet::new();
        for number in 0..options.concurrency {
            let cycles = Cycles::new(number, options.mqtt.version(), connector.with_own_sessions());
            coming_and_going.spawn(cycles.run(window, Arc::clone(&tally)));
        }
        let now = || (target.process().and_then(Process::cpu_time), Process::Own.cpu_time());
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
            address,
            tally: std::mem::replace(&mut *tally, empty),
            in_time,
            measured: seconds(options.seconds),
            server_cpu: spent(from.0, to.0),
            own_cpu: spent(from.1, to.1),
        })
    })
}
