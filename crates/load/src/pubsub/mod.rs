//! `tenfour-load pubsub`: publishers and subscribers of any MQTT broker, as fast as it goes without
//! loss, or at a fixed rate.
//!
//! One thread and one epoll instance. The generator is both ends, so it knows what has arrived: each
//! publisher keeps a fixed number of messages on their way, and sends more when they have arrived at
//! every subscriber. Each message carries its publisher's number and a sequence number; what is
//! missing, doubled or in the wrong place is counted.

mod flight;
mod measured;
mod pace;
mod peer;
mod plan;
mod publisher;
mod report;
mod subscriber;
mod traffic;

pub(crate) use self::report::PubsubReport;

use crate::descriptors;
use crate::failure::Failure;
use crate::options::PubsubOptions;

use self::plan::PubsubPlan;
use self::traffic::Traffic;

/// Connects everybody, publishes, measures.
///
/// # Errors
/// When the run cannot take place.
pub(crate) fn run(options: &PubsubOptions) -> Result<PubsubReport<'_>, Failure> {
    let plan = PubsubPlan::new(options)?;
    descriptors::ensure(plan.connections())?;
    let measured = Traffic::connect(&plan)?.run()?;
    Ok(PubsubReport { options, plan, measured })
}
