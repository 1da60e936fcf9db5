//! `tenfour serve`: a server from a configuration file.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::runtime::{block_on, fail, serve};
use crate::config::Config;

/// Runs a server from a configuration file
///
/// Runs until SIGTERM or SIGINT, then drains: deliveries in flight settle, devices are told.
/// SIGHUP looks at the registry at once and opens the log file anew.
#[derive(Args, Debug)]
pub struct ServeArgs {
    /// The configuration file; `tenfour check` finds every mistake in it
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Writes one JSON object with the addresses once all listeners accept
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
}

impl ServeArgs {
    /// Runs the command.
    pub fn run(self) -> ExitCode {
        let config = match Config::load(&self.config) {
            Ok(config) => config,
            Err(mistakes) => return fail(format_args!("the configuration is wrong\n{mistakes}")),
        };
        block_on(serve(config, None, |running| {
            for (name, address) in &running.ready.listeners {
                eprintln!("tenfour: {name} on {address}");
            }
            match &self.ready_file {
                Some(path) => running
                    .ready
                    .write(path)
                    .map_err(|error| format!("cannot write {}: {error}", path.display())),
                None => Ok(()),
            }
        }))
    }
}
