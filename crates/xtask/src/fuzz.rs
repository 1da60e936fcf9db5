//! `cargo xtask fuzz`: libFuzzer on the stable compiler, without cargo-fuzz.
//!
//! The instrumentation that cargo-fuzz asks a nightly compiler for is available on stable as
//! compiler and LLVM arguments. There is no address sanitizer this way; overflow checks and debug
//! assertions are on.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Outcome};
use crate::repository::{Repository, capture, run as run_command};

/// Coverage instrumentation for libFuzzer.
const INSTRUMENTATION: &str = "--cfg fuzzing \
     -Cpasses=sancov-module \
     -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
     -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares \
     -Ccodegen-units=1 \
     -Cdebug-assertions=on \
     -Coverflow-checks=on";

/// Where the recipe is known to link and run.
const SUPPORTED_HOSTS: [&str; 2] = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];

/// Seconds for each target when nothing is said.
const DEFAULT_SECONDS: u32 = 10;

/// What the command line asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    seconds: u32,
    target: Option<String>,
}

impl Request {
    /// Reads `--seconds N` and `--target NAME`.
    pub(crate) fn parse(arguments: &[String]) -> Outcome<Self> {
        let mut request = Self { seconds: DEFAULT_SECONDS, target: None };
        let mut rest = arguments.iter();
        while let Some(option) = rest.next() {
            let value = rest
                .next()
                .ok_or_else(|| Failure::new(format!("`{option}` is not an option with a value")))?;
            match option.as_str() {
                "--seconds" => request.seconds = parse_seconds(value)?,
                "--target" => request.target = Some(value.clone()),
                unknown => {
                    return Err(Failure::new(format!(
                        "`fuzz` takes --seconds and --target, found `{unknown}`"
                    )));
                }
            }
        }
        Ok(request)
    }
}

fn parse_seconds(value: &str) -> Outcome<u32> {
    match value.parse() {
        Ok(seconds) if seconds > 0 => Ok(seconds),
        _ => Err(Failure::new(format!("--seconds is a whole number from 1, found `{value}`"))),
    }
}

/// The chore.
pub(crate) fn run(repository: &Repository, request: &Request) -> Outcome {
    let host = host_triple()?;
    if !SUPPORTED_HOSTS.contains(&host.as_str()) {
        return Err(unsupported(&host));
    }
    fuzz(repository, &host, request)
}

/// The part of `cargo xtask test`: every target for a short while; on a host where the recipe
/// does not work it says so and passes.
pub(crate) fn smoke(repository: &Repository, seconds: u32) -> Outcome {
    let host = host_triple()?;
    if !SUPPORTED_HOSTS.contains(&host.as_str()) {
        println!("skipped: {}", unsupported(&host));
        return Ok(());
    }
    fuzz(repository, &host, &Request { seconds, target: None })
}

fn unsupported(host: &str) -> Failure {
    Failure::new(format!(
        "fuzzing with the stable compiler is known to work on {}, this is {host}",
        SUPPORTED_HOSTS.join(" and ")
    ))
}

fn fuzz(repository: &Repository, host: &str, request: &Request) -> Outcome {
    let manifest = repository.root().join("fuzz").join("Cargo.toml");
    if !manifest.is_file() {
        return Err(Failure::new(format!("{} is missing", manifest.display())));
    }
    let targets = chosen_targets(&repository.metadata_of(&manifest)?, request)?;
    // A folder of its own, because the flags differ from every other build's.
    let target_dir = repository.target_dir()?.join("fuzz");
    let mut build = repository.cargo();
    build.env("RUSTFLAGS", INSTRUMENTATION);
    // A target triple keeps the flags away from build scripts and procedural macros.
    build.args(["build", "--release", "--bins", "--target", host, "--manifest-path"]);
    build.arg(&manifest).arg("--target-dir").arg(&target_dir);
    run_command(&mut build, "cargo build of the fuzz targets")?;
    for name in &targets {
        let run = Run { name, binary: target_dir.join(host).join("release").join(name) };
        run.start(repository.root(), &target_dir, request.seconds)?;
    }
    println!("{} fuzz targets ran for {} s each, no finding", targets.len(), request.seconds);
    Ok(())
}

fn chosen_targets(metadata: &serde_json::Value, request: &Request) -> Outcome<Vec<String>> {
    let mut names = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        for target in package["targets"].as_array().into_iter().flatten() {
            let kinds = target["kind"].as_array();
            let is_bin = kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind == "bin"));
            if let (true, Some(name)) = (is_bin, target["name"].as_str()) {
                names.push(name.to_owned());
            }
        }
    }
    if let Some(wanted) = &request.target {
        if !names.contains(wanted) {
            let known = names.join(", ");
            return Err(Failure::new(format!("no fuzz target `{wanted}`; there are: {known}")));
        }
        names.retain(|name| name == wanted);
    }
    if names.is_empty() {
        return Err(Failure::new("fuzz/Cargo.toml declares no [[bin]]"));
    }
    Ok(names)
}

/// One target's run.
struct Run<'a> {
    name: &'a str,
    binary: PathBuf,
}

impl Run<'_> {
    /// Fuzzes for a while. New inputs go to the target folder; the seeds of the repository
    /// (`fuzz/corpus/<target>`) are read only.
    fn start(&self, root: &Path, target_dir: &Path, seconds: u32) -> Outcome {
        let found = target_dir.join("corpus").join(self.name);
        let artifacts = target_dir.join("artifacts").join(self.name);
        for folder in [&found, &artifacts] {
            std::fs::create_dir_all(folder)
                .map_err(|error| Failure::io(format!("creating {}", folder.display()), &error))?;
        }
        let mut command = Command::new(&self.binary);
        command.arg(format!("-max_total_time={seconds}"));
        command.args(["-timeout=10", "-rss_limit_mb=2048", "-verbosity=0"]);
        command.arg("-print_final_stats=1");
        command.arg(format!("-artifact_prefix={}/", artifacts.display()));
        command.arg(&found);
        let seeds = root.join("fuzz").join("corpus").join(self.name);
        if seeds.is_dir() {
            command.arg(seeds);
        }
        println!("fuzz target {} for {seconds} s", self.name);
        run_command(&mut command, &format!("fuzz target {}", self.name)).map_err(|failure| {
            Failure::new(format!(
                "{failure}; the input is in {}; run it again with: {} FILE",
                artifacts.display(),
                self.binary.display()
            ))
        })
    }
}

fn host_triple() -> Outcome<String> {
    let version = capture(Command::new("rustc").arg("-vV"), "rustc -vV")?;
    version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .ok_or_else(|| Failure::new("rustc -vV names no host"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn options_are_read() {
        let request = Request::parse(&words("--seconds 30 --target packet")).unwrap();
        assert_eq!(request, Request { seconds: 30, target: Some("packet".to_owned()) });
    }

    #[test]
    fn wrong_options_are_named() {
        for line in ["--seconds", "--seconds 0", "--seconds soon", "--speed 3"] {
            assert!(Request::parse(&words(line)).is_err(), "{line}");
        }
    }

    #[test]
    fn targets_are_the_bins_of_the_manifest() {
        let metadata = serde_json::json!({"packages": [{"targets": [
            {"name": "packet", "kind": ["bin"]},
            {"name": "shared", "kind": ["lib"]},
            {"name": "policy", "kind": ["bin"]},
        ]}]});
        let all = Request { seconds: 1, target: None };
        assert_eq!(chosen_targets(&metadata, &all).unwrap(), ["packet", "policy"]);
        let one = Request { seconds: 1, target: Some("policy".to_owned()) };
        assert_eq!(chosen_targets(&metadata, &one).unwrap(), ["policy"]);
        let none = Request { seconds: 1, target: Some("shared".to_owned()) };
        assert!(chosen_targets(&metadata, &none).is_err());
    }
}
