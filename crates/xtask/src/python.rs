//! The virtual environment of the Python clients, below the target folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Outcome};
use crate::repository::{capture, is_installed, run as run_command};

/// The name of the file that says what the environment was made from.
const STAMP: &str = "made-from.txt";

/// Makes the environment at `folder` from a requirements file, unless it was made from the same
/// requirements by the same Python before. Returns the path of its interpreter.
pub(crate) fn environment(folder: &Path, requirements: &Path) -> Outcome<PathBuf> {
    let interpreter = folder.join("bin").join("python");
    let wanted = stamp(requirements)?;
    let stamp_file = folder.join(STAMP);
    if interpreter.exists() && std::fs::read_to_string(&stamp_file).is_ok_and(|had| had == wanted) {
        println!("virtual environment: {} (up to date)", folder.display());
        return Ok(interpreter);
    }
    println!("virtual environment: making {}", folder.display());
    if folder.exists() {
        std::fs::remove_dir_all(folder)
            .map_err(|error| Failure::io(format!("removing {}", folder.display()), &error))?;
    }
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv"]).arg(folder);
    run_command(&mut venv, "python3 -m venv")?;
    let mut pip = Command::new(&interpreter);
    pip.env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
    pip.args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(requirements);
    run_command(&mut pip, "pip install")?;
    std::fs::write(&stamp_file, wanted)
        .map_err(|error| Failure::io(format!("writing {}", stamp_file.display()), &error))?;
    Ok(interpreter)
}

/// The version of Python, then the requirements: a change of either makes a new environment.
fn stamp(requirements: &Path) -> Outcome<String> {
    if !is_installed("python3") {
        return Err(Failure::new(format!("python3 is not on PATH; {HOW_TO_GET_PYTHON}")));
    }
    let check = "import ensurepip, sys, venv\n\
                 assert sys.version_info >= (3, 9)\n\
                 print(sys.version, sys.base_prefix)";
    let version =
        capture(Command::new("python3").args(["-c", check]), "python3").map_err(|_| {
            Failure::new(format!(
                "python3 is older than 3.9 or lacks the modules venv and ensurepip; \
             {HOW_TO_GET_PYTHON}"
            ))
        })?;
    let text = std::fs::read_to_string(requirements)
        .map_err(|error| Failure::io(format!("reading {}", requirements.display()), &error))?;
    Ok(format!("{version}{text}"))
}

const HOW_TO_GET_PYTHON: &str =
    "install Python 3.9 or newer with venv (on Debian: sudo apt-get install python3 python3-venv)";
