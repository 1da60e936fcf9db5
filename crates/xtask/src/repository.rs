//! Where the repository is, what it holds, and how commands run in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::failure::{Failure, Outcome};

/// The checkout this program was built from.
pub(crate) struct Repository {
    root: PathBuf,
    metadata: Value,
}

impl Repository {
    /// Finds the repository: two folders above this crate's manifest.
    pub(crate) fn find() -> Outcome<Self> {
        // Cargo sets the variable for `cargo run`; a binary started by hand falls back to the
        // folder it was built in.
        let manifest_dir = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest_dir
            .ancestors()
            .nth(2)
            .ok_or_else(|| Failure::new("the xtask crate is not two folders below the root"))?
            .to_path_buf();
        let metadata = read_metadata(&root, &root.join("Cargo.toml"))?;
        Ok(Self { root, metadata })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The workspace's part of `cargo metadata` (no dependencies resolved).
    pub(crate) fn metadata(&self) -> &Value {
        &self.metadata
    }

    /// `cargo metadata` of another manifest of this repository.
    pub(crate) fn metadata_of(&self, manifest: &Path) -> Outcome<Value> {
        read_metadata(&self.root, manifest)
    }

    /// Cargo's target folder, wherever the environment or a config file put it.
    pub(crate) fn target_dir(&self) -> Outcome<PathBuf> {
        self.metadata["target_directory"]
            .as_str()
            .map(PathBuf::from)
            .ok_or_else(|| Failure::new("cargo metadata has no target_directory"))
    }

    /// The same cargo that runs this program, started at the root.
    pub(crate) fn cargo(&self) -> Command {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.current_dir(&self.root);
        command
    }

    /// Files that are tracked, or would be by `git add --all`; paths relative to the root.
    pub(crate) fn files(&self) -> Outcome<Vec<PathBuf>> {
        let mut git = Command::new("git");
        git.current_dir(&self.root);
        git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let listing = capture(&mut git, "git ls-files")?;
        let mut files: Vec<PathBuf> = listing
            .split('\0')
            .filter(|name| !name.is_empty())
            .map(PathBuf::from)
            .filter(|path| self.root.join(path).is_file())
            .collect();
        files.sort();
        files.dedup();
        Ok(files)
    }
}

fn read_metadata(root: &Path, manifest: &Path) -> Outcome<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root);
    command.args(["metadata", "--format-version", "1", "--no-deps", "--manifest-path"]);
    command.arg(manifest);
    let text = capture(&mut command, "cargo metadata")?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::new(format!("cargo metadata is not JSON: {error}")))
}

/// Runs a command with its output on this terminal; a status other than success is a failure.
pub(crate) fn run(command: &mut Command, name: &str) -> Outcome {
    let status =
        command.status().map_err(|error| Failure::io(format!("starting {name}"), &error))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("{name} failed ({status})")))
}

/// Runs a command and returns its standard output; its standard error stays on this terminal.
pub(crate) fn capture(command: &mut Command, name: &str) -> Outcome<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| Failure::io(format!("starting {name}"), &error))?;
    if !output.status.success() {
        return Err(Failure::new(format!("{name} failed ({})", output.status)));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| Failure::new(format!("{name} printed something that is not UTF-8")))
}

/// Whether a command can be found on `PATH`.
pub(crate) fn is_installed(command: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join(command).is_file())
    })
}
