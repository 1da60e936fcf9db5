//! Commands that come from Debian packages: present, installed now, or explained.

use std::process::Command;

use crate::failure::{Failure, Outcome};
use crate::repository::{capture, is_installed, run as run_command};

/// A command that a chore starts, and the Debian package that carries it.
pub(crate) struct Tool {
    /// Name on `PATH`.
    pub(crate) command: &'static str,
    /// Debian package.
    pub(crate) package: &'static str,
}

/// Makes sure that each command is there; `purpose` is what needs them.
pub(crate) fn ensure(purpose: &str, tools: &[Tool]) -> Outcome {
    let mut packages: Vec<&str> =
        tools.iter().filter(|tool| !is_installed(tool.command)).map(|tool| tool.package).collect();
    packages.sort_unstable();
    packages.dedup();
    if packages.is_empty() {
        return Ok(());
    }
    if !is_installed("apt-get") || !is_root()? {
        let names: Vec<&str> = tools.iter().map(|tool| tool.command).collect();
        return Err(Failure::new(format!(
            "{purpose} takes the commands {}; on Debian: sudo apt-get install {}",
            names.join(", "),
            packages.join(" ")
        )));
    }
    println!("installing Debian packages: {}", packages.join(" "));
    apt_get(&["update", "-qq"])?;
    let mut install = vec!["install", "-qq", "--yes", "--no-install-recommends"];
    install.extend(packages);
    apt_get(&install)
}

fn apt_get(arguments: &[&str]) -> Outcome {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").args(arguments);
    run_command(&mut command, "apt-get")
}

fn is_root() -> Outcome<bool> {
    Ok(capture(Command::new("id").arg("-u"), "id -u")?.trim() == "0")
}
