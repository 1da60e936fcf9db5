//! fjall, with a keyspace for each table.

use std::path::Path;

use fjall::{Keyspace, KeyspaceCreateOptions, PersistMode};
use store::{Changes, StoreError, Sync, Table};

use crate::cause;
use crate::commits_file::FORMAT;

/// The keyspace of this crate's own records.
const OWN: &str = "store";
const FORMAT_KEY: &str = "format";
const COMMITS_KEY: &str = "commits";

/// Everything is read once, when the node starts.
const CACHE_BYTES: u64 = 8 << 20;
/// What a table holds in memory before it is written to a file of its own. Twice as much is what a
/// start has to read again.
const MEMTABLE_BYTES: u64 = 16 << 20;
/// The own keyspace has a new version of one small record with every commit.
const OWN_MEMTABLE_BYTES: u64 = 1 << 20;
/// Journal files that wait for the memory of a table that hardly changes.
const JOURNAL_BYTES: u64 = 128 << 20;

/// The open database.
pub(crate) struct Database {
    database: fjall::Database,
    tables: Vec<Keyspace>,
    own: Keyspace,
}

impl Database {
    /// Opens the database, or makes it.
    pub(crate) fn open(folder: &Path, data: &Path) -> Result<Self, StoreError> {
        let open = || {
            let database = fjall::Database::builder(data)
                .cache_size(CACHE_BYTES)
                .max_journaling_size(JOURNAL_BYTES)
                // With one, whoever commits is never left waiting for a second that has failed.
                .worker_threads(1)
                .open()?;
            let keyspace = |name, bytes| {
                database
                    .keyspace(name, || KeyspaceCreateOptions::default().max_memtable_size(bytes))
            };
            let own = keyspace(OWN, OWN_MEMTABLE_BYTES)?;
            let tables = Table::ALL.iter().map(|table| keyspace(table.name(), MEMTABLE_BYTES));
            let tables = tables.collect::<Result<_, _>>()?;
            Ok(Self { database, tables, own })
        };
        open().map_err(|error| cause::error("opening the store in", folder, error))
    }

    /// The number of the last commit. A database that was just made gets its format.
    pub(crate) fn commits(&self, folder: &Path) -> Result<u64, StoreError> {
        let reading = |error| cause::error("reading the store in", folder, error);
        let damaged = |what| cause::damaged(folder, what);
        let number = match self.own.get(COMMITS_KEY).map_err(reading)? {
            None => 0,
            Some(bytes) => {
                let bytes = bytes.as_ref().try_into();
                u64::from_be_bytes(bytes.map_err(|_| damaged("its counter is no number"))?)
            }
        };
        match self.own.get(FORMAT_KEY).map_err(reading)? {
            Some(format) if *format == FORMAT.to_be_bytes() => Ok(number),
            Some(_) => Err(cause::version(folder, "another version of Tenfour")),
            None if number == 0 => {
                let written = self.own.insert(FORMAT_KEY, FORMAT.to_be_bytes());
                written.map_err(|error| cause::error("writing to", folder, error))?;
                Ok(number)
            }
            None => Err(damaged("its format is gone")),
        }
    }

    /// Applies the changes as the commit of that number.
    pub(crate) fn commit(
        &self,
        changes: &Changes,
        number: u64,
        sync: Sync,
    ) -> Result<(), fjall::Error> {
        let mode = match sync {
            Sync::System => PersistMode::Buffer,
            Sync::Disk => PersistMode::SyncData,
        };
        let capacity = changes.len() + 1;
        let batch = fjall::OwnedWriteBatch::with_capacity(self.database.clone(), capacity);
        let mut batch = batch.durability(Some(mode));
        for change in changes.iter() {
            let table = &self.tables[change.table.index()];
            match change.value {
                Some(value) => batch.insert(table, change.key, value),
                None => batch.remove(table, change.key),
            }
        }
        batch.insert(&self.own, COMMITS_KEY, number.to_be_bytes());
        batch.commit()
    }

    /// Brings everything to the disk.
    pub(crate) fn sync(&self) -> Result<(), fjall::Error> {
        self.database.persist(PersistMode::SyncAll)
    }

    pub(crate) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, fjall::Error> {
        Ok(self.tables[table.index()].get(key)?.map(|value| value.to_vec()))
    }

    pub(crate) fn scan(
        &self,
        table: Table,
        visit: &mut dyn FnMut(&[u8], &[u8]),
    ) -> Result<(), fjall::Error> {
        for record in self.tables[table.index()].iter() {
            let (key, value) = record.into_inner()?;
            visit(&key, &value);
        }
        Ok(())
    }
}
