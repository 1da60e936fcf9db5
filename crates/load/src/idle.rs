//! Memory of the server by number of idle connections.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::descriptors;
use crate::device::Arrivals;
use crate::failure::Failure;
use crate::fleet::Fleet;
use crate::options::IdleOptions;
use crate::plan::FleetPlan;
use crate::target::Target;

/// The server's memory with so many devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    devices: u32,
    resident: u64,
}

/// What a run has found out.
pub(crate) struct IdleReport<'a> {
    options: &'a IdleOptions,
    /// The first one is without devices.
    steps: Vec<Step>,
    lost: u64,
    first_loss: Option<String>,
}

/// Connects devices in steps and reads the server's memory at each. The results go to
/// `on_report` while all devices are still there.
///
/// # Errors
/// When a device does not get in or the process cannot be read.
pub(crate) fn run<T>(
    options: &IdleOptions,
    on_report: impl FnOnce(IdleReport<'_>) -> T,
) -> Result<T, Failure> {
    let target = Target::new(&options.target)?;
    let process = target.process().ok_or_else(|| {
        Failure::Option("memory needs --pid, or a ready file that has it".to_owned())
    })?;
    let plan = FleetPlan::new(&options.fleet, &target)?;
    let (first, counts) = (plan.first, counts(options)?);
    descriptors::ensure(plan.count.into())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|source| Failure::System { what: "starting a runtime", source })?;
    runtime.block_on(async {
        let arrivals = Arc::new(Arrivals::default());
        let mut fleet = Fleet::new(plan, Arc::clone(&arrivals));
        let mut steps = vec![Step { devices: 0, resident: process.resident()? }];
        let mut connected = 0;
        for devices in counts {
            fleet.add(first + connected..first + devices).await?;
            connected = devices;
            tokio::time::sleep(Duration::from_millis(options.settle.into())).await;
            steps.push(Step { devices, resident: process.resident()? });
        }
        let (lost, first_loss) = (arrivals.lost(), arrivals.first_loss());
        let reported = on_report(IdleReport { options, steps, lost, first_loss });
        tokio::time::sleep(Duration::from_secs(options.hold.into())).await;
        Ok(reported)
    })
}

/// How many devices there are at each step.
fn counts(options: &IdleOptions) -> Result<Vec<u32>, Failure> {
    let (last, steps) = (options.fleet.devices, options.steps);
    let refused = |sentence: String| Err(Failure::Option(sentence));
    let Some(first) = options.from else {
        if steps > last {
            return refused(format!("--steps {steps} is more than --devices {last}"));
        }
        let at = |step: u32| u64::from(last) * u64::from(step) / u64::from(steps);
        return Ok((1..=steps).map(|step| at(step) as u32).collect());
    };
    if first >= last || steps < 2 {
        return refused(format!(
            "--from {first} needs at least --steps 2 and more --devices than that"
        ));
    }
    if steps - 1 > last - first {
        return refused(format!("--steps {steps} is more than there are devices to add"));
    }
    let (added, gaps) = (u64::from(last - first), u64::from(steps - 1));
    Ok((0..steps).map(|step| first + (added * u64::from(step) / gaps) as u32).collect())
}

/// Bytes for each further device: the straight line with the least squares through all steps but
/// the first, which has no devices and none of what the server sets up only once. With only one
/// further step there is no line without it.
fn slope(steps: &[Step]) -> f64 {
    let steps = if steps.len() > 2 { &steps[1..] } else { steps };
    let count = steps.len() as f64;
    let mean_devices = steps.iter().map(|step| f64::from(step.devices)).sum::<f64>() / count;
    let mean_bytes = steps.iter().map(|step| step.resident as f64).sum::<f64>() / count;
    let (mut covariance, mut variance) = (0.0, 0.0);
    for step in steps {
        let distance = f64::from(step.devices) - mean_devices;
        covariance += distance * (step.resident as f64 - mean_bytes);
        variance += distance * distance;
    }
    covariance / variance
}

impl IdleReport<'_> {
    /// How the first device was lost, if any was; the figures then say little.
    pub(crate) fn fault(&self) -> Option<String> {
        let loss = self.first_loss.as_deref()?;
        Some(format!("{} devices lost their connection; first {loss}", self.lost))
    }

    /// One object with everything.
    pub(crate) fn json(&self) -> Value {
        let steps = self.steps.iter();
        let steps: Vec<Value> = steps
            .map(|step| json!({"devices": step.devices, "resident_bytes": step.resident}))
            .collect();
        json!({
            "mode": "idle",
            "version": env!("CARGO_PKG_VERSION"),
            "options": self.options,
            "steps": steps,
            "bytes_per_device": slope(&self.steps),
            "ok": self.fault().is_none(),
            "faults": self.fault().into_iter().collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for IdleReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>10} {:>14}", "devices", "resident KiB")?;
        for step in &self.steps {
            writeln!(f, "{:>10} {:>14}", step.devices, step.resident / 1024)?;
        }
        writeln!(f, "slope: {:.0} bytes a device", slope(&self.steps))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Cli, Mode};
    use clap::Parser;

    fn options(line: &str) -> IdleOptions {
        let words = ["tenfour-load", "idle"].into_iter().chain(line.split_whitespace());
        match Cli::try_parse_from(words).unwrap().mode {
            Some(Mode::Idle(options)) => options,
            _ => panic!("idle is the mode"),
        }
    }

    #[test]
    fn steps_are_even_and_end_with_all_devices() {
        assert_eq!(counts(&options("--devices 10 --steps 3")).unwrap(), [3, 6, 10]);
        assert_eq!(counts(&options("--devices 19 --steps 3 --from 5")).unwrap(), [5, 12, 19]);
        assert_eq!(counts(&options("--devices 7 --steps 1")).unwrap(), [7]);
    }

    #[test]
    fn steps_that_cannot_be_are_refused() {
        for line in [
            "--devices 2 --steps 3",
            "--devices 5 --steps 3 --from 5",
            "--devices 5 --steps 1 --from 2",
            "--devices 5 --steps 5 --from 3",
        ] {
            assert!(counts(&options(line)).is_err(), "{line}");
        }
    }

    #[test]
    fn the_slope_leaves_out_what_is_set_up_once() {
        let step = |devices, resident| Step { devices, resident };
        let steps = [step(0, 1000), step(10, 50_000), step(20, 51_000), step(30, 52_000)];
        assert!((slope(&steps) - 100.0).abs() < 1e-9);
        assert!((slope(&[step(0, 1000), step(10, 2000)]) - 100.0).abs() < 1e-9);
    }

    #[test]
    fn memory_of_nobody_cannot_be_read() {
        let without = options("--device-address 127.0.0.1:1");
        assert!(run(&without, |_| ()).err().unwrap().to_string().contains("--pid"));
        let absent = options("--device-address 127.0.0.1:1 --pid 4294967295");
        assert!(run(&absent, |_| ()).err().unwrap().to_string().contains("4294967295"));
    }
}
