//! `cargo xtask test`: everything, in one order, stopping at the first failing step.

use crate::failure::Outcome;
use crate::repository::{Repository, is_installed, run as run_command};
use crate::step::step;
use crate::{arrows, counts, crash, e2e, fuzz, spec, tidy};

/// Long enough to replay a corpus and try some millions of new inputs on each target.
const FUZZ_SMOKE_SECONDS: u32 = 8;

/// Enough that every kind of client is in the middle of something.
const CRASHES: u32 = 8;

/// The chore.
pub(crate) fn run(repository: &Repository) -> Outcome {
    step("build", || build(repository))?;
    step("unit and property tests", || unit_tests(repository))?;
    step("doc tests", || {
        let mut command = repository.cargo();
        command.args(["test", "--quiet", "--workspace", "--doc"]);
        run_command(&mut command, "cargo test --doc")
    })?;
    step("arrows", || arrows::run(repository))?;
    step("tidy", || tidy::run(repository))?;
    step("statements of the standards", || spec::check(repository))?;
    step("instruction counts", || counts::check(repository))?;
    step("fuzz smoke", || fuzz::smoke(repository, FUZZ_SMOKE_SECONDS))?;
    step("crashes", || crash::run(repository, &crash::Request::short(CRASHES)))?;
    step("end-to-end tests", || e2e::run(repository, &[]))?;
    println!("\nEvery step passed.");
    Ok(())
}

fn build(repository: &Repository) -> Outcome {
    let mut command = repository.cargo();
    command.args(["build", "--package", "server", "--package", "load"]);
    run_command(&mut command, "cargo build")
}

fn unit_tests(repository: &Repository) -> Outcome {
    let mut command = repository.cargo();
    if is_installed("cargo-nextest") {
        command.args(["nextest", "run", "--workspace", "--status-level", "slow"]);
        command.args(["--no-tests", "pass"]);
        return run_command(&mut command, "cargo nextest run");
    }
    // `--all-targets` leaves the doc tests to their own step.
    command.args(["test", "--workspace", "--all-targets"]);
    run_command(&mut command, "cargo test")
}
