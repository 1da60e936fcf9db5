//! `cargo xtask bench`: what the server costs, as ratios from one run.
//!
//! Machines differ and are noisy, so nearly every figure is a ratio to something that was measured
//! in turns with it: the floor (`tenfour-floor`, the same socket work and nothing else), another
//! broker, or the server itself under other circumstances.

mod configuration;
mod effort;
mod finding;
mod journal;
mod lab;
mod machine;
mod measurement;
mod request;
mod row;
mod rows;
mod running;
mod server;
mod statistic;
mod table;

use std::fs;
use std::process::Command;

use crate::debian::{self, Tool};
use crate::failure::{Failure, Outcome};
use crate::repository::{Repository, run as run_command};

pub(crate) use self::request::Request;

use self::lab::Lab;
use self::machine::Machine;
use self::table::{Entry, Table};

/// The file with the latest figures.
const PUBLISHED: &str = "docs/performance.md";
/// What is started besides our own programs.
const TOOLS: [Tool; 2] = [
    Tool { command: "mosquitto", package: "mosquitto" },
    Tool { command: "taskset", package: "util-linux" },
];

/// The chore.
pub(crate) fn run(repository: &Repository, request: &Request) -> Outcome {
    ensure_tools()?;
    let machine = Machine::here(repository)?;
    build(repository)?;
    let lab = Lab::new(repository, request.effort())?;
    println!("{machine}\n");
    let mut entries = Vec::new();
    for row in &request.rows {
        println!("measuring {} ...", row.slug());
        let finding = row.measure(&lab);
        let entry = Entry { row: *row, finding, commands: lab.journal.take() };
        println!("{entry}\n");
        entries.push(entry);
    }
    let table = Table { machine: &machine, entries: &entries };
    println!("{}", table.text());
    if request.is_whole() {
        let path = repository.root().join(PUBLISHED);
        fs::write(&path, table.markdown())
            .map_err(|error| Failure::io(format!("writing {}", path.display()), &error))?;
        println!("written to {PUBLISHED}");
    }
    Ok(())
}

/// Debian keeps its daemons where not everybody's `PATH` leads.
fn ensure_tools() -> Outcome {
    let missing = |tool: &&Tool| !std::path::Path::new("/usr/sbin").join(tool.command).exists();
    let tools: Vec<&Tool> = TOOLS.iter().filter(missing).collect();
    tools.into_iter().try_for_each(|tool| debian::ensure("measuring", std::slice::from_ref(tool)))
}

fn build(repository: &Repository) -> Outcome {
    let mut command: Command = repository.cargo();
    command.args(["build", "--release", "--package", "server", "--package", "load"]);
    run_command(&mut command, "cargo build --release")
}
