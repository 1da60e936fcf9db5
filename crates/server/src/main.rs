//! The binary `tenfour`: the command line and everything that touches files, sockets and signals.

mod cli;
mod config;
mod dev;
mod registry;
mod serve;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    cli::Tenfour::parse().run()
}
