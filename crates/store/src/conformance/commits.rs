//! What a commit is.

use std::thread;

use super::{Open, all, commit, record, value};
use crate::{Changes, Sync, Table};

/// Of the changes of one key in one commit the last one counts.
pub fn changes_of_a_commit_apply_in_order(open: Open<'_>) {
    let records = open();
    commit(&*records, |changes| {
        changes.put(Table::Meta, b"a", b"1");
        changes.delete(Table::Meta, b"a");
        changes.put(Table::Meta, b"b", b"1");
        changes.put(Table::Meta, b"b", b"2");
        changes.delete(Table::Meta, b"c");
        changes.put(Table::Meta, b"c", b"3");
    });
    let expected = [record(b"b", b"2"), record(b"c", b"3")];
    assert_eq!(all(&*records, Table::Meta), expected);
    drop(records);
    assert_eq!(all(&*open(), Table::Meta), expected);
}

/// A promise that a key is new changes nothing for whoever reads it.
pub fn put_new_is_put(open: Open<'_>) {
    let records = open();
    commit(&*records, |changes| changes.put_new(Table::Queues, b"key", b"value"));
    assert_eq!(value(&*records, Table::Queues, b"key"), Some(b"value".to_vec()));
    commit(&*records, |changes| changes.delete(Table::Queues, b"key"));
    drop(records);
    assert_eq!(all(&*open(), Table::Queues), []);
}

/// A commit of no changes succeeds.
pub fn nothing_is_a_commit_too(open: Open<'_>) {
    let records = open();
    for sync in [Sync::Disk, Sync::System] {
        records.commit(&Changes::new(), sync).expect("a commit of nothing succeeds");
    }
    records.sync().expect("a sync of nothing succeeds");
    for table in Table::ALL {
        assert_eq!(all(&*records, table), []);
    }
}

/// Threads that commit at once do not get into each other's way.
pub fn commits_of_many_threads_all_arrive(open: Open<'_>) {
    const THREADS: u8 = 8;
    const COMMITS: u8 = 40;
    let records = open();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let records = &records;
            scope.spawn(move || {
                for number in 0..COMMITS {
                    commit(&**records, |changes| {
                        changes.put(Table::Queues, &[thread, number], &[number]);
                        changes.put(Table::Sessions, &[thread], &[number]);
                    });
                }
            });
        }
    });
    let queues: Vec<_> = (0..THREADS)
        .flat_map(|thread| (0..COMMITS).map(move |n| record(&[thread, n], &[n])))
        .collect();
    let sessions: Vec<_> = (0..THREADS).map(|thread| record(&[thread], &[COMMITS - 1])).collect();
    assert_eq!(all(&*records, Table::Queues), queues);
    assert_eq!(all(&*records, Table::Sessions), sessions);
    drop(records);
    let records = open();
    assert_eq!(all(&*records, Table::Queues), queues);
    assert_eq!(all(&*records, Table::Sessions), sessions);
}
