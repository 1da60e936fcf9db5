//! The records.

use std::fmt;
use std::path::{Path, PathBuf};

use parking_lot::{Mutex, RwLock};
use store::{Changes, Records, StoreError, Sync, Table, Trouble};

use crate::cause;
use crate::commits_file::CommitsFile;
use crate::contained::contained;
use crate::database::Database;
use crate::folder::Folder;
use crate::journal_files;
use crate::trail::{EmbeddedTrail, TrailSettings};

/// [`Records`] in a folder. Dropping it closes it, but only [`Records::close`] says whether that went
/// well.
pub struct Embedded {
    path: PathBuf,
    open: RwLock<Option<Open>>,
}

/// What is let go of by closing, in this order: the lock of the folder is the last.
struct Open {
    database: Database,
    writing: Mutex<Writing>,
    folder: Folder,
}

/// What commits need one at a time.
struct Writing {
    /// The number of the last commit.
    commits: u64,
    file: CommitsFile,
    /// The first failure, after which there may be no other commit: it could get to the disk without
    /// the one that failed.
    failure: Option<StoreError>,
}

impl Embedded {
    /// Opens the store in a folder, which is made if it does not exist. Nothing else may be in it.
    ///
    /// # Errors
    /// One sentence with the folder, the cause and what to do: no permission, no space, no folder,
    /// another process's, somebody else's, another version's, damaged, or one that lost what was
    /// committed.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let folder = Folder::take(path)?;
        folder.prepare()?;
        let expected = CommitsFile::read(&folder)?;
        journal_files::check(path, &folder.data())?;
        let open = contained(path, || {
            let database = Database::open(path, &folder.data())?;
            let commits = database.commits(path)?;
            if let Some(expected) = expected.filter(|expected| *expected > commits) {
                return Err(cause::missing(path, expected, commits, &folder.commits()));
            }
            let failed = |error| cause::error("writing to", path, error);
            database.sync().map_err(failed)?;
            let file = CommitsFile::open(&folder, commits)?;
            let writing = Mutex::new(Writing { commits, file, failure: None });
            Ok(Open { database, writing, folder })
        })?;
        Ok(Self { path: path.to_owned(), open: RwLock::new(Some(open)) })
    }

    /// Opens the trail in the same folder, which this process has to itself as long as the store is
    /// open, and visits what is in it.
    ///
    /// # Errors
    /// One sentence with the folder, the cause and what to do.
    pub fn open_trail(
        &self,
        settings: TrailSettings,
        visit: &mut dyn FnMut(&[u8]),
    ) -> Result<EmbeddedTrail, StoreError> {
        self.with_open(|open| EmbeddedTrail::open(open.folder.outcomes(), settings, visit))
    }

    fn with_open<T>(
        &self,
        work: impl FnOnce(&Open) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        // Whoever visits records may read others, while somebody waits to close.
        let open = self.open.read_recursive();
        let open = open.as_ref().ok_or_else(|| {
            let sentence = format!("the store in {} is closed; open it again", self.path.display());
            StoreError::new(Trouble::Closed, sentence)
        })?;
        contained(&self.path, || work(open))
    }

    fn reading(&self, error: fjall::Error) -> StoreError {
        cause::error("reading the store in", &self.path, error)
    }
}

impl Open {
    /// Does what changes the disk, unless something like it failed before. What does not return, but
    /// panics, has failed too.
    fn write(
        &self,
        path: &Path,
        work: impl FnOnce(&Database, &mut Writing) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut writing = self.writing.lock();
        if let Some(failure) = &writing.failure {
            return Err(failure.clone());
        }
        let result = contained(path, || work(&self.database, &mut writing));
        writing.failure = result.clone().err();
        result
    }

    fn sync(&self, path: &Path) -> Result<(), StoreError> {
        self.write(path, |database, writing| {
            database.sync().map_err(|error| cause::error("syncing the store in", path, error))?;
            writing.file.write(writing.commits)
        })
    }

    fn close(self, path: &Path) -> Result<(), StoreError> {
        self.sync(path)?;
        self.write(path, |_, writing| writing.file.sync())
    }
}

impl Records for Embedded {
    fn scan(&self, table: Table, visit: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), StoreError> {
        self.with_open(|open| open.database.scan(table, visit).map_err(|error| self.reading(error)))
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.with_open(|open| open.database.get(table, key).map_err(|error| self.reading(error)))
    }

    fn commit(&self, changes: &Changes, sync: Sync) -> Result<(), StoreError> {
        if changes.is_empty() {
            return self.with_open(|_| Ok(()));
        }
        self.with_open(|open| {
            open.write(&self.path, |database, writing| {
                let number = writing.commits + 1;
                let failed = |error| cause::error("committing to the store in", &self.path, error);
                database.commit(changes, number, sync).map_err(failed)?;
                writing.commits = number;
                match sync {
                    Sync::System => Ok(()),
                    Sync::Disk => writing.file.write(number),
                }
            })
        })
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.with_open(|open| open.sync(&self.path))
    }

    fn close(&self) -> Result<(), StoreError> {
        let open = self.open.write().take();
        open.map_or(Ok(()), |open| open.close(&self.path))
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded").field("path", &self.path).finish_non_exhaustive()
    }
}
