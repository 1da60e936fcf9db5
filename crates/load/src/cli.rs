//! From the command line to an exit status.

use std::ffi::OsString;
use std::fmt::Display;
use std::process::ExitCode;

use clap::Parser;
use serde_json::Value;

use crate::connects;
use crate::failure::Failure;
use crate::idle;
use crate::options::{
    Cli, ConnectsOptions, IdleOptions, MessageOptions, Mode, PubsubOptions, QueueOptions,
};
use crate::plan::Plan;
use crate::pubsub;
use crate::queue;
use crate::report::{Report, Verdict};
use crate::run;

/// A run took place and is not what was asked for.
const UNEXPECTED: u8 = 1;
/// No run took place; clap's status for a wrong command line too.
const IMPOSSIBLE: u8 = 2;

/// Runs the command line, whose first argument is the program's name: results go to standard
/// output, what is wrong to standard error.
pub fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are errors for clap, with the status 0.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(IMPOSSIBLE));
        }
    };
    let faults = match &cli.mode {
        None => messages(&cli.messages),
        Some(Mode::Idle(options)) => idle(options),
        Some(Mode::Pubsub(options)) => pubsub(options),
        Some(Mode::Connects(options)) => connects(options),
        Some(Mode::Queue(options)) => queue(options),
    };
    match faults {
        Ok(faults) if faults.is_empty() => ExitCode::SUCCESS,
        Ok(faults) => {
            for fault in faults {
                eprintln!("tenfour-load: {fault}");
            }
            ExitCode::from(UNEXPECTED)
        }
        Err(failure) => {
            eprintln!("tenfour-load: {failure}");
            ExitCode::from(IMPOSSIBLE)
        }
    }
}

fn messages(options: &MessageOptions) -> Result<Vec<String>, Failure> {
    let plan = Plan::new(options)?;
    let measurement = run::run(&plan)?;
    let report = Report { options, plan: &plan, measurement: &measurement };
    show(options.json.then(|| report.json()), &report);
    Ok(match report.verdict() {
        Verdict::Good => Vec::new(),
        Verdict::Bad(faults) => faults,
    })
}

fn idle(options: &IdleOptions) -> Result<Vec<String>, Failure> {
    idle::run(options, |report| {
        show(options.json.then(|| report.json()), &report);
        report.fault().into_iter().collect()
    })
}

fn pubsub(options: &PubsubOptions) -> Result<Vec<String>, Failure> {
    let report = pubsub::run(options)?;
    show(options.json.then(|| report.json()), &report);
    Ok(report.faults())
}

fn connects(options: &ConnectsOptions) -> Result<Vec<String>, Failure> {
    let report = connects::run(options)?;
    show(options.json.then(|| report.json()), &report);
    Ok(report.faults())
}

fn queue(options: &QueueOptions) -> Result<Vec<String>, Failure> {
    let report = queue::run(options)?;
    show(options.json.then(|| report.json()), &report);
    Ok(report.faults())
}

/// Prints the one or the other to standard output.
fn show(json: Option<Value>, text: &impl Display) {
    match json {
        Some(json) => println!("{json}"),
        None => print!("{text}"),
    }
}
