//! Many devices on one thread.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::device::{Arrivals, Device};
use crate::failure::Failure;
use crate::plan::FleetPlan;

/// How many connections are opened at the same time: enough to keep the server busy, fewer than a
/// listener's queue holds.
const CONNECTING_AT_ONCE: usize = 64;

/// Devices that are connected and answer, until this is dropped.
pub(crate) struct Fleet {
    plan: FleetPlan,
    arrivals: Arc<Arrivals>,
    serving: JoinSet<()>,
}

impl Fleet {
    /// No devices yet. What happens to them is counted in `arrivals`.
    pub(crate) fn new(plan: FleetPlan, arrivals: Arc<Arrivals>) -> Self {
        Self { plan, arrivals, serving: JoinSet::new() }
    }

    /// Connects the devices with these numbers.
    ///
    /// # Errors
    /// The first one that does not get in.
    pub(crate) async fn add(&mut self, numbers: impl Iterator<Item = u32>) -> Result<(), Failure> {
        let mut connecting = JoinSet::new();
        for number in numbers {
            if connecting.len() == CONNECTING_AT_ONCE {
                self.serve_next(&mut connecting).await?;
            }
            let plan = self.plan.clone();
            connecting.spawn(async move { Device::connect(&plan, number).await });
        }
        while !connecting.is_empty() {
            self.serve_next(&mut connecting).await?;
        }
        Ok(())
    }

    async fn serve_next(
        &mut self,
        connecting: &mut JoinSet<Result<Device, Failure>>,
    ) -> Result<(), Failure> {
        let Some(connected) = connecting.join_next().await else { return Ok(()) };
        let device = connected.map_err(|_| Failure::WorkerLost)??;
        let arrivals = Arc::clone(&self.arrivals);
        self.serving.spawn(async move { device.serve(&arrivals).await });
        Ok(())
    }
}
