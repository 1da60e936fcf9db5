//! `cargo xtask e2e`: the end-to-end tests with real, unmodified clients.

use std::path::PathBuf;
use std::process::Command;

use crate::debian::{self, Tool};
use crate::failure::{Failure, Outcome};
use crate::python;
use crate::repository::{Repository, run as run_command};

/// Clients that are not Python packages.
const TOOLS: [Tool; 4] = [
    Tool { command: "curl", package: "curl" },
    Tool { command: "openssl", package: "openssl" },
    Tool { command: "mosquitto_sub", package: "mosquitto-clients" },
    Tool { command: "mosquitto_pub", package: "mosquitto-clients" },
];

/// The chore; `arguments` go to pytest.
pub(crate) fn run(repository: &Repository, arguments: &[String]) -> Outcome {
    debian::ensure("testing with real clients", &TOOLS)?;
    let tests = repository.root().join("tests").join("e2e");
    let venv = repository.target_dir()?.join("venv");
    let interpreter = python::environment(&venv, &tests.join("requirements.txt"))?;
    let mut pytest = Command::new(interpreter);
    pytest.current_dir(&tests);
    pytest.env("TENFOUR_BIN", binary(repository)?);
    pytest.args(["-m", "pytest"]).args(arguments);
    run_command(&mut pytest, "pytest tests/e2e")
}

/// The server under test: the one named in the environment, else a fresh debug build.
fn binary(repository: &Repository) -> Outcome<PathBuf> {
    if let Some(given) = std::env::var_os("TENFOUR_BIN") {
        let given = PathBuf::from(given);
        return given.canonicalize().map_err(|error| {
            Failure::io(format!("TENFOUR_BIN names {}", given.display()), &error)
        });
    }
    let mut build = repository.cargo();
    build.args(["build", "--quiet", "--package", "server"]);
    run_command(&mut build, "cargo build")?;
    Ok(repository.target_dir()?.join("debug").join("tenfour"))
}
