//! `tenfour check`: every mistake in the configuration and the registry, at once.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use crate::config::{Config, Mistakes};
use crate::registry::Registry;

/// Finds every mistake in a configuration and its registry
///
/// Prints one line a mistake, `file:line: what is wrong and what would be right`, and ends with
/// exit status 1; or a summary and exit status 0. Warnings do not change the exit status.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = ".tenfour/tenfour.toml")]
    pub config: PathBuf,
}

impl CheckArgs {
    /// Runs the command.
    pub fn run(self) -> ExitCode {
        match check(&self.config) {
            Ok(summary) => {
                print!("{summary}");
                ExitCode::SUCCESS
            }
            Err(mistakes) => {
                println!("{mistakes}");
                let count = mistakes.len();
                let plural = if count == 1 { "" } else { "s" };
                eprintln!("{count} mistake{plural}");
                ExitCode::FAILURE
            }
        }
    }
}

fn check(file: &Path) -> Result<String, Mistakes> {
    let (config, mut mistakes) = Config::inspect(file);
    // The registry is checked even if the configuration is wrong elsewhere; its path is empty when
    // that is what is wrong.
    let named = config.as_ref().filter(|config| !config.registry.as_os_str().is_empty());
    let registry = match named.map(Registry::open) {
        Some(Ok(registry)) => Some(registry),
        Some(Err(more)) => {
            mistakes.append(more);
            None
        }
        None => None,
    };
    let (Some(config), Some(registry)) = (config, registry) else {
        return mistakes.or(String::new());
    };
    mistakes.or(summary(file, &config, &registry))
}

fn summary(file: &Path, config: &Config, registry: &Registry) -> String {
    let mut lines = Vec::new();
    let warnings = config.warnings();
    lines.extend(warnings.iter().chain(registry.warnings()).map(|w| format!("warning: {w}")));
    lines.push(format!("ok: {}", file.display()));
    lines.push("listeners:".to_owned());
    for (name, address) in config.listeners.served() {
        lines.push(format!("  {:<11} {address}", name.as_str()));
    }
    let summary = registry.summary();
    lines.push(format!("certificates: {}", summary.certificates));
    lines.push(format!("senders:      {}", summary.senders));
    lines.push(format!("things:       {}", summary.things));
    lines.push(format!("policies:     {}", summary.policies));
    // The store belongs to the server, which may be running.
    lines.push("from files; what the API made is in the store and not looked at".to_owned());
    lines.join("\n") + "\n"
}
