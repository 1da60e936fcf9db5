//! `counts <scenario> <iterations>`: one step of the hot path, so many times; `counts list`: the
//! scenarios' names, one a line.
//!
//! The program measures nothing itself. `cargo xtask counts` runs it under an emulator that counts
//! instructions, for two numbers of iterations, and takes the slope. So what a scenario prepares
//! does not count, and neither does what only its first iterations do; and every input is fixed, so
//! that the count is the same each time.

mod access;
mod decision;
mod log_entry;
mod packet;
mod scenario;
mod session;
mod signature;

use std::process::ExitCode;

use scenario::SCENARIOS;

const USAGE: &str = "usage: counts <scenario> <iterations>, or: counts list";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("counts: {sentence}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), String> {
    match arguments {
        [word] if word == "list" => {
            for scenario in &SCENARIOS {
                println!("{}", scenario.name);
            }
            Ok(())
        }
        [name, iterations] => {
            let scenario = SCENARIOS.iter().find(|scenario| scenario.name == name);
            let scenario = scenario
                .ok_or_else(|| format!("no scenario is called `{name}`; see `counts list`"))?;
            let iterations = iterations.parse().map_err(|_| {
                format!("`{iterations}` is not a number of iterations below 2^32; {USAGE}")
            })?;
            (scenario.run)(iterations);
            Ok(())
        }
        _ => Err(USAGE.to_owned()),
    }
}
