//! What every implementation of [`Records`] has to do, as checks that its tests run.
//!
//! A check gets a closure that opens the same place again and again, empty at first, and panics if
//! what it finds is not what it should. [`conformance_suite!`](crate::conformance_suite) makes a
//! test of each.

mod commits;
mod contents;
mod reopening;

use std::sync::Arc;

use crate::{Changes, Records, Sync, Table};

pub use commits::{
    changes_of_a_commit_apply_in_order, commits_of_many_threads_all_arrive,
    nothing_is_a_commit_too, put_new_is_put,
};
pub use contents::{
    a_deleted_key_is_gone, a_put_overwrites, a_table_knows_nothing_of_another,
    an_empty_value_is_a_value, large_values_are_whole, many_records_are_all_there,
    scans_are_in_the_order_of_bytes, the_longest_keys_are_told_apart,
};
pub use reopening::{
    a_closed_store_says_so, deleted_keys_stay_deleted, everything_is_there_again,
    many_generations_add_up, what_was_only_given_to_the_system_is_there_after_closing,
};

/// Opens the place of a check: what was opened before is closed or dropped by then.
pub type Open<'a> = &'a dyn Fn() -> Arc<dyn Records>;

/// Makes a test of each check. The expression gives each check a place of its own: something that
/// can be called without arguments and returns an `Arc<dyn Records>`.
#[macro_export]
macro_rules! conformance_suite {
    ($place:expr) => {
        $crate::conformance_suite!(@tests $place,
            a_closed_store_says_so
            a_deleted_key_is_gone
            a_put_overwrites
            a_table_knows_nothing_of_another
            an_empty_value_is_a_value
            changes_of_a_commit_apply_in_order
            commits_of_many_threads_all_arrive
            deleted_keys_stay_deleted
            everything_is_there_again
            large_values_are_whole
            many_generations_add_up
            many_records_are_all_there
            nothing_is_a_commit_too
            put_new_is_put
            scans_are_in_the_order_of_bytes
            the_longest_keys_are_told_apart
            what_was_only_given_to_the_system_is_there_after_closing
        );
    };
    (@tests $place:expr, $($check:ident)+) => {
        mod conformance {
            use super::*;
            $(
                #[test]
                fn $check() {
                    let place = $place;
                    $crate::conformance::$check(&|| place());
                }
            )+
        }
    };
}

/// A record as a test wants to compare it.
type Record = (Vec<u8>, Vec<u8>);

fn commit(records: &dyn Records, build: impl FnOnce(&mut Changes)) {
    let mut changes = Changes::new();
    build(&mut changes);
    records.commit(&changes, Sync::Disk).expect("a commit succeeds");
}

fn value(records: &dyn Records, table: Table, key: &[u8]) -> Option<Vec<u8>> {
    records.get(table, key).expect("a record can be read")
}

fn all(records: &dyn Records, table: Table) -> Vec<Record> {
    let mut found = Vec::new();
    let mut visit = |key: &[u8], value: &[u8]| found.push((key.to_vec(), value.to_vec()));
    records.scan(table, &mut visit).expect("a table can be read");
    found
}

fn record(key: &[u8], value: &[u8]) -> Record {
    (key.to_vec(), value.to_vec())
}
