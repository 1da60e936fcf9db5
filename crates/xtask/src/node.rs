//! The packages of the Node.js client, below the target folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Outcome};
use crate::repository::run as run_command;

/// What npm installs from.
const MANIFESTS: [&str; 2] = ["package.json", "package-lock.json"];

/// The name of the file that says that an installation came to its end.
const STAMP: &str = "made-from.txt";

/// Installs what the lock file in `source` names into `folder`, unless it was installed before.
/// Returns the path of `node_modules`.
pub(crate) fn modules(folder: &Path, source: &Path) -> Outcome<PathBuf> {
    let installed = folder.join("node_modules");
    let stamp_file = folder.join(STAMP);
    let mut wanted = String::new();
    for name in MANIFESTS {
        wanted += &read(&source.join(name))?;
    }
    if installed.exists() && std::fs::read_to_string(&stamp_file).is_ok_and(|had| had == wanted) {
        println!("Node.js packages: {} (up to date)", installed.display());
        return Ok(installed);
    }
    println!("Node.js packages: installing into {}", installed.display());
    std::fs::create_dir_all(folder)
        .map_err(|error| Failure::io(format!("making {}", folder.display()), &error))?;
    for name in MANIFESTS {
        write(&folder.join(name), &read(&source.join(name))?)?;
    }
    let mut npm = Command::new("npm");
    npm.current_dir(folder);
    npm.args(["ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]);
    run_command(&mut npm, "npm ci")?;
    write(&stamp_file, &wanted)?;
    Ok(installed)
}

fn read(path: &Path) -> Outcome<String> {
    std::fs::read_to_string(path)
        .map_err(|error| Failure::io(format!("reading {}", path.display()), &error))
}

fn write(path: &Path, text: &str) -> Outcome {
    std::fs::write(path, text)
        .map_err(|error| Failure::io(format!("writing {}", path.display()), &error))
}
