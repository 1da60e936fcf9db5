//! `tenfour dev`: a server for the desk and for CI, with no configuration.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use engine::profile::Profile;

use super::found::READY_FILE;
use super::runtime::{block_on, fail, serve};
use crate::config::{Config, ListenerName, Overrides};
use crate::dev::{DataFolder, Guide};
use crate::serve::Running;

/// Runs a server on this machine with no configuration
///
/// The first start makes a data folder with a certificate authority, a registered device, a sender
/// and an admin, all editable. Prints commands to paste.
#[derive(Args, Debug)]
pub struct DevArgs {
    /// The data folder
    #[arg(long, value_name = "FOLDER", default_value = ".tenfour")]
    pub dir: PathBuf,
    /// Writes one JSON object with addresses, certificates and keys once all listeners accept
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
    /// Takes free ports instead of the configured ones
    #[arg(long)]
    pub ephemeral_ports: bool,
    /// Moves a listener: mqtt, mqtts, https, https_x509, wss, http or admin; may be repeated
    #[arg(long, value_name = "NAME=ADDRESS", value_parser = Overrides::parse_listen)]
    pub listen: Vec<(ListenerName, SocketAddr)>,
    /// The MQTT rules: aws, or standard for MQTT to the letter
    #[arg(long, value_name = "PROFILE", value_parser = Overrides::parse_profile)]
    pub profile: Option<&'static Profile>,
    /// The plain mqtt and http listeners need no authentication and may do everything (loopback only)
    #[arg(long)]
    pub open: bool,
    /// No rate quotas, for load tests
    #[arg(long)]
    pub unlimited: bool,
}

impl DevArgs {
    /// Runs the command.
    pub fn run(self) -> ExitCode {
        let folder = match DataFolder::open_or_create(&self.dir) {
            Ok(folder) => folder,
            Err(error) => return fail(error),
        };
        let overrides = Overrides {
            ephemeral_ports: self.ephemeral_ports,
            listen: self.listen,
            profile: self.profile,
            open: self.open,
            unlimited: self.unlimited,
        };
        let config = match Config::load_with(&folder.config_file(), &overrides) {
            Ok(config) => config,
            Err(mistakes) => return fail(format_args!("the configuration is wrong\n{mistakes}")),
        };
        let found = folder.path().join(READY_FILE);
        let code = block_on(serve(config, Some(&folder), |running| {
            if let Some(path) = &self.ready_file {
                write(running, path)?;
            }
            write(running, &found)?;
            greet(running, &folder);
            Ok(())
        }));
        // Commands must not look for a server that is gone; the file may be gone as well.
        let _ = std::fs::remove_file(&found);
        code
    }
}

fn write(running: &Running, path: &Path) -> Result<(), String> {
    let written = running.ready.write(path);
    written.map_err(|error| format!("cannot write {}: {error}", path.display()))
}

fn greet(running: &Running, folder: &DataFolder) {
    let made = if folder.is_new() { "made" } else { "found" };
    println!("tenfour dev, data folder {} ({made})\n", folder.path().display());
    for (name, address) in &running.ready.listeners {
        println!("  {name:<11} {address}");
    }
    let program = std::env::args().next().unwrap_or_else(|| "tenfour".into());
    println!("\n{}", Guide { ready: &running.ready, program: &program });
    println!("Ready. Ctrl-C drains and stops.");
}
