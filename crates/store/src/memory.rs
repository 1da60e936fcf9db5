//! Records in memory, with faults on demand.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::fault::Faults;
use crate::{Changes, Records, StoreError, Sync, Table, Trouble};

type Contents = [BTreeMap<Vec<u8>, Vec<u8>>; Table::ALL.len()];

/// Records that live as long as this value: for tests, which can also ask what a crash at this
/// moment would leave, and make commits fail, wait or take long.
#[derive(Debug, Default)]
pub struct Memory {
    state: Mutex<State>,
    released: Condvar,
}

#[derive(Debug, Default)]
struct State {
    contents: Contents,
    /// What has to be put back, the last first, for the contents as of the last sync.
    undo: Vec<Undo>,
    faults: Faults,
    /// Commits wait until somebody releases them.
    held: bool,
    /// Commits that wait because of that.
    waiting: usize,
    delay: Duration,
    closed: bool,
    commits: u64,
    syncs: u64,
}

#[derive(Clone, Debug)]
struct Undo {
    table: Table,
    key: Vec<u8>,
    before: Option<Vec<u8>>,
}

impl Memory {
    /// Empty tables and no faults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What a new process finds if this one ends now: every commit that succeeded.
    #[must_use]
    pub fn after_kill(&self) -> Self {
        let contents = self.state.lock().contents.clone();
        Self::with(contents)
    }

    /// What a new process finds if the power fails now: every commit that is on the disk.
    #[must_use]
    pub fn after_power_loss(&self) -> Self {
        let state = self.state.lock();
        let mut contents = state.contents.clone();
        for undo in state.undo.iter().rev() {
            let table = &mut contents[undo.table.index()];
            match &undo.before {
                Some(value) => table.insert(undo.key.clone(), value.clone()),
                None => table.remove(&undo.key),
            };
        }
        Self::with(contents)
    }

    fn with(contents: Contents) -> Self {
        Self { state: Mutex::new(State { contents, ..State::default() }), ..Self::default() }
    }

    /// How many commits were asked for, those that failed included.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.state.lock().commits
    }

    /// How many times everything was brought to the disk by [`Records::sync`].
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.state.lock().syncs
    }

    /// How many commits wait at [`Memory::hold`].
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.state.lock().waiting
    }

    /// Lets the next commits fail, that many of them. They change nothing.
    pub fn fail_next(&self, commits: u64, error: StoreError) {
        let mut state = self.state.lock();
        let from = state.commits;
        state.faults.fail(from..from + commits, error);
    }

    /// Lets every commit from a certain one on fail, the first ever asked for being 0, and every
    /// sync once the commits have come that far.
    pub fn fail_from(&self, commit: u64, error: StoreError) {
        self.state.lock().faults.fail(commit..u64::MAX, error);
    }

    /// Takes all faults and delays back.
    pub fn heal(&self) {
        let mut state = self.state.lock();
        state.faults = Faults::default();
        state.delay = Duration::ZERO;
    }

    /// Lets every commit take that much longer.
    pub fn delay(&self, delay: Duration) {
        self.state.lock().delay = delay;
    }

    /// Lets commits wait, before they change anything, for [`Memory::release`].
    pub fn hold(&self) {
        self.state.lock().held = true;
    }

    /// Lets the commits that wait go on, and those that come.
    pub fn release(&self) {
        self.state.lock().held = false;
        self.released.notify_all();
    }
}

impl State {
    fn check_open(&self) -> Result<(), StoreError> {
        if self.closed {
            return Err(StoreError::new(Trouble::Closed, "the store in memory is closed"));
        }
        Ok(())
    }

    fn apply(&mut self, changes: &Changes) {
        for change in changes.iter() {
            let table = &mut self.contents[change.table.index()];
            let before = match change.value {
                Some(value) => table.insert(change.key.to_vec(), value.to_vec()),
                None => table.remove(change.key),
            };
            self.undo.push(Undo { table: change.table, key: change.key.to_vec(), before });
        }
    }
}

impl Records for Memory {
    fn scan(&self, table: Table, visit: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), StoreError> {
        let state = self.state.lock();
        state.check_open()?;
        state.contents[table.index()].iter().for_each(|(key, value)| visit(key, value));
        Ok(())
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let state = self.state.lock();
        state.check_open()?;
        Ok(state.contents[table.index()].get(key).cloned())
    }

    fn commit(&self, changes: &Changes, sync: Sync) -> Result<(), StoreError> {
        let delay = self.state.lock().delay;
        std::thread::sleep(delay);
        let mut state = self.state.lock();
        state.check_open()?;
        state.waiting += 1;
        while state.held {
            self.released.wait(&mut state);
        }
        state.waiting -= 1;
        let commit = state.commits;
        state.commits += 1;
        state.faults.check(commit)?;
        state.apply(changes);
        match sync {
            Sync::System => {}
            Sync::Disk => state.undo.clear(),
        }
        Ok(())
    }

    fn sync(&self) -> Result<(), StoreError> {
        let mut state = self.state.lock();
        state.check_open()?;
        let commits = state.commits;
        state.faults.check(commits)?;
        state.syncs += 1;
        state.undo.clear();
        Ok(())
    }

    fn close(&self) -> Result<(), StoreError> {
        let mut state = self.state.lock();
        if !state.closed {
            state.undo.clear();
            state.closed = true;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
