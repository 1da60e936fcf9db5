//! `cargo xtask ci`: what `.ci/run` does, from the same file.

use std::process::Command;

use crate::failure::Outcome;
use crate::repository::{Repository, run as run_command};

/// The chore.
pub(crate) fn run(repository: &Repository) -> Outcome {
    let mut command = Command::new(repository.root().join(".ci").join("run"));
    run_command(command.current_dir(repository.root()), ".ci/run")
}
