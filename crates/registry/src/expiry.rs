//! Certificates in the order in which they expire.

use std::collections::BTreeSet;

use crate::certificate::Certificate;

/// When certificates expire.
#[derive(Debug, Default)]
pub(crate) struct Expiries(BTreeSet<(i64, String)>);

impl Expiries {
    pub(crate) fn add(&mut self, certificate: &Certificate) {
        if let Some(ends_at) = certificate.ends_at() {
            self.0.insert((ends_at, certificate.id.clone()));
        }
    }

    pub(crate) fn remove(&mut self, certificate: &Certificate) {
        if let Some(ends_at) = certificate.ends_at() {
            self.0.remove(&(ends_at, certificate.id.clone()));
        }
    }

    /// Takes out one that has expired by `now`, in seconds since 1970.
    pub(crate) fn pop(&mut self, now: i64) -> Option<String> {
        let (ends_at, _) = self.0.first()?;
        if *ends_at > now {
            return None;
        }
        self.0.pop_first().map(|(_, id)| id)
    }
}
