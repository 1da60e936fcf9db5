//! The folder: whose it is, and what is in it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use store::{StoreError, Trouble};

use crate::cause;

const LOCK: &str = "store.lock";
const COMMITS: &str = "commits";
const DATA: &str = "data";
const OUTCOMES: &str = "outcomes";
/// fjall's mark of a database whose creation got to its end.
const FJALL_VERSION: &str = "version";
/// fjall's folder for everything that is not in its journal any more.
const FJALL_KEYSPACES: &str = "keyspaces";

/// A folder that this process has to itself.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
}

impl Folder {
    /// Takes the folder, which is made if it does not exist, and its parents too.
    pub(crate) fn take(path: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(path).map_err(|error| not_a_folder(path, &error))?;
        check_owner(path)?;
        let lock = lock(path)?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The file with the number of commits.
    pub(crate) fn commits(&self) -> PathBuf {
        self.path.join(COMMITS)
    }

    /// fjall's folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.path.join(DATA)
    }

    /// The folder of the trail.
    pub(crate) fn outcomes(&self) -> PathBuf {
        self.path.join(OUTCOMES)
    }

    /// Prepares for fjall to open its folder. A process that ended while it made the folder left a
    /// part of it, with nothing committed, which fjall would neither open nor make anew.
    pub(crate) fn prepare(&self) -> Result<(), StoreError> {
        let data = self.data();
        if !exists(&data)? {
            return self.expect_nothing("its folder `data` is gone");
        }
        if exists(&data.join(FJALL_VERSION))? {
            return Ok(());
        }
        self.expect_nothing("the file `data/version` is gone")?;
        let keyspaces = data.join(FJALL_KEYSPACES);
        if exists(&keyspaces)? && !entries(&keyspaces)?.is_empty() {
            return Err(cause::damaged(&self.path, "the file `data/version` is gone"));
        }
        fs::remove_dir_all(&data).map_err(|error| StoreError::io("removing", &data, &error))
    }

    /// Before the first commit the file with their number does not exist.
    fn expect_nothing(&self, what: &str) -> Result<(), StoreError> {
        if exists(&self.commits())? {
            return Err(cause::damaged(&self.path, what));
        }
        Ok(())
    }

    /// Brings its name and the names of the files in it to the disk.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        for folder in [self.path.clone(), self.path.join("..")] {
            File::open(&folder)
                .and_then(|folder| folder.sync_all())
                .map_err(|error| StoreError::io("syncing", &folder, &error))?;
        }
        Ok(())
    }
}

fn not_a_folder(path: &Path, error: &io::Error) -> StoreError {
    if error.kind() == io::ErrorKind::AlreadyExists {
        let sentence = format!("{} is a file; name a folder for the store", path.display());
        return StoreError::new(Trouble::Foreign, sentence);
    }
    StoreError::io("making the folder", path, error)
}

/// A folder with other people's files is not filled with ours.
fn check_owner(path: &Path) -> Result<(), StoreError> {
    let names = entries(path)?;
    // A file system of its own begins with `lost+found`.
    let foreign = names.iter().find(|name| *name != "lost+found");
    match foreign {
        Some(name) if !names.iter().any(|name| name == LOCK) => {
            let sentence = format!(
                "{} is not empty and holds no store (there is `{name}`); name an empty folder or \
                 one of an earlier run",
                path.display()
            );
            Err(StoreError::new(Trouble::Foreign, sentence))
        }
        Some(_) | None => Ok(()),
    }
}

fn entries(path: &Path) -> Result<Vec<String>, StoreError> {
    let names = || {
        let mut names = Vec::new();
        for entry in fs::read_dir(path)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        Ok(names)
    };
    names().map_err(|error| StoreError::io("reading", path, &error))
}

fn exists(path: &Path) -> Result<bool, StoreError> {
    path.try_exists().map_err(|error| StoreError::io("reading", path, &error))
}

/// Locks the folder and leaves this process's ID for whoever comes too late.
fn lock(path: &Path) -> Result<File, StoreError> {
    let name = path.join(LOCK);
    let failed = |error: &io::Error| StoreError::io("locking", &name, error);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&name)
        .map_err(|error| failed(&error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut process = String::new();
            // Without the number the error says the same, only less.
            drop(file.read_to_string(&mut process));
            return Err(cause::locked(path, process.trim().parse().ok()));
        }
        Err(TryLockError::Error(error)) => return Err(failed(&error)),
    }
    let written = file
        .set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{}", std::process::id()));
    written.map_err(|error| failed(&error))?;
    Ok(file)
}
