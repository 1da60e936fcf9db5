//! `cargo xtask counts`: how many instructions each step of the hot path takes, against a committed
//! baseline. Unlike times, the counts are the same on a noisy machine.

mod baseline;
mod comparison;
mod emulator;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::debian::{self, Tool};
use crate::failure::{Failure, Outcome};
use crate::repository::{Repository, capture, run as run_command};

use self::baseline::Baseline;
use self::emulator::Emulator;

/// Instructions of one iteration, by scenario.
type Counts = BTreeMap<String, u64>;

/// Two numbers of iterations, both beyond what only the first iterations do: threads that start,
/// buffers that grow. What is prepared differs by some hundreds of instructions from run to run,
/// where maps with random seeds are made; over so many iterations that is nothing.
const ITERATIONS: [u32; 2] = [1_000, 11_000];

/// The release profile, but each crate compiled by itself and in one piece. What the linker inlines
/// across crates changes with every change anywhere: one scenario's count moved by a third when
/// another scenario was edited.
const PROFILE: [&str; 3] = ["inherits='release'", "lto='off'", "codegen-units=1"];
const PROFILE_NAME: &str = "counts";

const TOOLS: [Tool; 1] = [Tool { command: "valgrind", package: "valgrind" }];

/// What to do with the counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    /// Compare them with the baseline.
    Compare,
    /// Make them the baseline.
    Accept,
}

impl Request {
    /// Reads `--accept`, or nothing.
    pub(crate) fn parse(arguments: &[String]) -> Outcome<Self> {
        match arguments {
            [] => Ok(Self::Compare),
            [option] if option == "--accept" => Ok(Self::Accept),
            [first, ..] => {
                Err(Failure::new(format!("`counts` takes --accept or nothing, found `{first}`")))
            }
        }
    }
}

/// The chore.
pub(crate) fn run(repository: &Repository, request: Request) -> Outcome {
    if !emulator::is_supported() {
        return Err(Failure::new(UNSUPPORTED));
    }
    let now = Baseline { rustc: rustc()?, instructions: count(repository)? };
    let file = repository.root().join("crates").join("counts").join("baseline.json");
    match request {
        Request::Accept => {
            write(&file, &now.render())?;
            print!("{}", comparison::table(&now.instructions, &now.instructions));
            println!("accepted: {}", file.display());
            Ok(())
        }
        Request::Compare => {
            let text = std::fs::read_to_string(&file)
                .map_err(|error| Failure::io(format!("reading {}", file.display()), &error))?;
            let baseline = Baseline::parse(&text).map_err(|wrong| {
                Failure::new(format!(
                    "{}: {wrong}; make it anew with `cargo xtask counts --accept`",
                    file.display()
                ))
            })?;
            print!("{}", comparison::table(&baseline.instructions, &now.instructions));
            comparison::judge(&baseline, &now)
        }
    }
}

/// The part of `cargo xtask test`: on a machine whose counts cannot be compared it says so and
/// passes.
pub(crate) fn check(repository: &Repository) -> Outcome {
    if emulator::is_supported() {
        return run(repository, Request::Compare);
    }
    println!("skipped: {UNSUPPORTED}");
    Ok(())
}

const UNSUPPORTED: &str = "the baseline holds for Linux on x86-64 with AVX2";

fn count(repository: &Repository) -> Outcome<Counts> {
    debian::ensure("counting instructions", &TOOLS)?;
    let program = build(repository)?;
    let list = capture(Command::new(&program).arg("list"), "counts list")?;
    let emulator = Emulator::new(program);
    let mut counts = Counts::new();
    for scenario in list.lines() {
        let mut totals = [0; 2];
        for (total, iterations) in totals.iter_mut().zip(ITERATIONS) {
            *total = emulator.count(scenario, iterations)?;
        }
        counts.insert(scenario.to_owned(), slope(totals, ITERATIONS));
    }
    Ok(counts)
}

/// Builds the program and says where it is.
fn build(repository: &Repository) -> Outcome<PathBuf> {
    let mut build = repository.cargo();
    build.args(["build", "--quiet", "--package", "counts", "--profile", PROFILE_NAME]);
    for setting in PROFILE {
        build.arg("--config").arg(format!("profile.{PROFILE_NAME}.{setting}"));
    }
    run_command(&mut build, "building the program to count")?;
    Ok(repository.target_dir()?.join(PROFILE_NAME).join("counts"))
}

/// How much the total rises with each iteration, to the nearest whole.
fn slope([fewer, more]: [u64; 2], iterations: [u32; 2]) -> u64 {
    let step = u64::from(iterations[1] - iterations[0]);
    (more.saturating_sub(fewer) + step / 2) / step
}

fn rustc() -> Outcome<String> {
    Ok(capture(Command::new("rustc").arg("--version"), "rustc --version")?.trim().to_owned())
}

fn write(file: &Path, text: &str) -> Outcome {
    std::fs::write(file, text)
        .map_err(|error| Failure::io(format!("writing {}", file.display()), &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_leaves_the_start_out_and_is_rounded() {
        assert_eq!(slope([5_000_100, 5_001_100], [100, 1_100]), 1);
        assert_eq!(slope([700, 3_200], [0, 10]), 250);
        assert_eq!(slope([0, 14], [0, 10]), 1);
        assert_eq!(slope([0, 15], [0, 10]), 2);
    }

    #[test]
    fn a_total_that_falls_is_no_slope() {
        assert_eq!(slope([100, 90], [1, 2]), 0);
    }

    #[test]
    fn the_only_option_is_to_accept() {
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(Request::parse(&[]).unwrap(), Request::Compare);
        assert_eq!(Request::parse(&words("--accept")).unwrap(), Request::Accept);
        assert!(Request::parse(&words("--except")).is_err());
        assert!(Request::parse(&words("--accept all")).is_err());
    }
}
