//! `cargo xtask <chore>`: the one door to the chores of this repository. CI runs the same
//! commands as a laptop.

mod arrows;
mod bench;
mod ci;
mod counts;
mod crash;
mod debian;
mod e2e;
mod failure;
mod fuzz;
mod node;
mod python;
mod repository;
mod spec;
mod step;
mod test;
mod tidy;

use std::process::ExitCode;

use crate::failure::{Failure, Outcome};
use crate::repository::Repository;

const HELP: &str = "\
Chores of the repository.

Usage: cargo xtask <chore> [options]

Chores:
  test                 everything, in order: build, unit and property tests, arrows, tidy,
                       spec, counts, fuzz smoke, a few crashes, end-to-end tests with real clients
  ci                   what CI runs: formatting, clippy, docs, then `test`
  arrows               check the dependency direction of the workspace's crates
  tidy                 check the style rules that no compiler checks
  spec [options]       list the numbered statements of MQTT 3.1.1 and 5.0 and the tests that cite
                       them; a citation of a number that does not exist is a failure
      --missing          only the statements that no test cites
      --strict           a statement that no test cites is a failure
  counts [--accept]    compare the instructions of the hot path with crates/counts/baseline.json,
                       or make what they are now the baseline
  fuzz [options]       run every fuzz target for a while
      --seconds N        seconds for each target (default 10)
      --target NAME      only this target
  crash [options]      kill a server under load again and again, and check that nothing it
                       acknowledged is lost and nothing at QoS 2 comes twice
      --kills N          kills for each durability (default 15)
      --seed S           repeats the choices of an earlier run
      --durability WORD  only this one, always or batched
      --release          the release build
  e2e [-- ARGS]        end-to-end tests only; ARGS go to pytest (for example: -- -k boto3 -x)
  bench [options]      measure what the server costs, beside the least there can be and mosquitto,
                       and write docs/performance.md
      --quick            a look: less time for each figure, nothing is written
      --only ROW[,ROW]   only these rows, or all whose names begin so; nothing is written
  help, --help         this text

The tests need Rust, Python 3.9 or newer with venv, Node.js with npm, chromium and curl; Debian
packages that are missing are installed with apt-get when run as root, otherwise the message says
how to get them.
Files made on the way are below the target folder.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Outcome {
    let Some((chore, rest)) = arguments.split_first() else {
        return Err(Failure::new(format!("which chore?\n\n{HELP}")));
    };
    if matches!(chore.as_str(), "help" | "--help" | "-h") || asks_for_help(rest) {
        println!("{HELP}");
        return Ok(());
    }
    let repository = Repository::find()?;
    match chore.as_str() {
        "test" => no_options(chore, rest).and_then(|()| test::run(&repository)),
        "ci" => no_options(chore, rest).and_then(|()| ci::run(&repository)),
        "arrows" => no_options(chore, rest).and_then(|()| arrows::run(&repository)),
        "tidy" => no_options(chore, rest).and_then(|()| tidy::run(&repository)),
        "spec" => spec::run(&repository, spec::Request::parse(rest)?),
        "bench" => bench::run(&repository, &bench::Request::parse(rest)?),
        "counts" => counts::run(&repository, counts::Request::parse(rest)?),
        "crash" => crash::run(&repository, &crash::Request::parse(rest)?),
        "fuzz" => fuzz::run(&repository, &fuzz::Request::parse(rest)?),
        "e2e" => e2e::run(&repository, pytest_arguments(rest)?),
        unknown => Err(Failure::new(format!("no chore is called `{unknown}`\n\n{HELP}"))),
    }
}

/// `--help` before a `--`; what follows `--` belongs to another program.
fn asks_for_help(arguments: &[String]) -> bool {
    let own = arguments.iter().take_while(|argument| *argument != "--");
    own.into_iter().any(|argument| argument == "--help" || argument == "-h")
}

fn no_options(chore: &str, rest: &[String]) -> Outcome {
    match rest.first() {
        None => Ok(()),
        Some(extra) => Err(Failure::new(format!("`{chore}` takes no options, found `{extra}`"))),
    }
}

fn pytest_arguments(rest: &[String]) -> Outcome<&[String]> {
    match rest.split_first() {
        None => Ok(&[]),
        Some((dashes, arguments)) if dashes == "--" => Ok(arguments),
        Some((extra, _)) => {
            Err(Failure::new(format!("`e2e` passes arguments on after `--` only, found `{extra}`")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn an_unknown_chore_is_named_and_answered_with_the_list() {
        let failure = run(&words("danse")).unwrap_err().to_string();
        assert!(failure.contains("`danse`"));
        assert!(failure.contains("Chores:"));
    }

    #[test]
    fn help_is_answered_for_every_chore_but_not_taken_from_pytest() {
        assert!(asks_for_help(&words("--help")));
        assert!(!asks_for_help(&words("-- --help")));
    }

    #[test]
    fn options_of_chores_without_options_are_refused() {
        assert!(no_options("tidy", &words("--fast")).is_err());
        assert!(pytest_arguments(&words("-k boto3")).is_err());
        assert_eq!(pytest_arguments(&words("-- -k boto3")).unwrap().len(), 2);
    }
}
