//! `cargo xtask e2e`: the end-to-end tests with real, unmodified clients.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::debian::{self, Tool};
use crate::failure::{Failure, Outcome};
use crate::repository::{Repository, run as run_command};
use crate::{node, python};

/// Clients that are not Python packages.
const TOOLS: [Tool; 7] = [
    Tool { command: "chromium", package: "chromium" },
    Tool { command: "curl", package: "curl" },
    Tool { command: "openssl", package: "openssl" },
    Tool { command: "mosquitto_sub", package: "mosquitto-clients" },
    Tool { command: "mosquitto_pub", package: "mosquitto-clients" },
    Tool { command: "node", package: "nodejs" },
    Tool { command: "npm", package: "npm" },
];

/// The chore; `arguments` go to pytest.
pub(crate) fn run(repository: &Repository, arguments: &[String]) -> Outcome {
    debian::ensure("testing with real clients", &TOOLS)?;
    let tests = repository.root().join("tests").join("e2e");
    let target = repository.target_dir()?;
    let interpreter = python::environment(&target.join("venv"), &tests.join("requirements.txt"))?;
    let modules = node::modules(&target.join("mqttjs"), &tests.join("mqttjs"))?;
    let mut pytest = Command::new(interpreter);
    pytest.current_dir(&tests);
    pytest.env("TENFOUR_BIN", binary(repository)?);
    pytest.env("TENFOUR_NODE_MODULES", modules);
    pytest.env("TENFOUR_RUMQTTC", rumqttc(repository, &tests)?);
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

/// The client of rumqttc, which is a workspace of its own.
fn rumqttc(repository: &Repository, tests: &Path) -> Outcome<PathBuf> {
    let target = repository.target_dir()?.join("rumqttc");
    let mut build = repository.cargo();
    build.args(["build", "--quiet", "--locked", "--manifest-path"]);
    build.arg(tests.join("rumqttc").join("Cargo.toml"));
    build.arg("--target-dir").arg(&target);
    run_command(&mut build, "cargo build of the rumqttc client")?;
    Ok(target.join("debug").join("rumqttc-client"))
}
