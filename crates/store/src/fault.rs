//! Which commits fail.

use std::ops::Range;

use crate::StoreError;

/// Commits that are to fail, by their number.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    planned: Vec<(Range<u64>, StoreError)>,
}

impl Faults {
    /// Lets these commits fail.
    pub(crate) fn fail(&mut self, commits: Range<u64>, error: StoreError) {
        self.planned.push((commits, error));
    }

    /// The error of this commit if it is to fail.
    pub(crate) fn check(&self, commit: u64) -> Result<(), StoreError> {
        match self.planned.iter().find(|(commits, _)| commits.contains(&commit)) {
            Some((_, error)) => Err(error.clone()),
            None => Ok(()),
        }
    }
}
