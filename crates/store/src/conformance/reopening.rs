//! What is there after opening again.

use super::{Open, all, commit, record, value};
use crate::{Changes, Sync, Table, Trouble};

/// Every table holds what was committed to it.
pub fn everything_is_there_again(open: Open<'_>) {
    let records = open();
    commit(&*records, |changes| {
        for table in Table::ALL {
            changes.put(table, table.name().as_bytes(), &[table.index() as u8]);
            changes.put(table, &[0, 255, 0], b"binary");
        }
    });
    records.close().expect("closing succeeds");
    drop(records);
    let records = open();
    for table in Table::ALL {
        let named = record(table.name().as_bytes(), &[table.index() as u8]);
        assert_eq!(all(&*records, table), [record(&[0, 255, 0], b"binary"), named]);
    }
}

/// A deletion is as durable as a record.
pub fn deleted_keys_stay_deleted(open: Open<'_>) {
    let records = open();
    commit(&*records, |changes| {
        for key in 0..100_u8 {
            changes.put(Table::Queues, &[key], b"value");
        }
    });
    drop(records);
    let records = open();
    commit(&*records, |changes| {
        for key in 0..99_u8 {
            changes.delete(Table::Queues, &[key]);
        }
    });
    drop(records);
    for _ in 0..3 {
        assert_eq!(all(&*open(), Table::Queues), [record(&[99], b"value")]);
    }
}

/// What each of many openings added, overwrote and deleted is as if it had been one.
pub fn many_generations_add_up(open: Open<'_>) {
    const GENERATIONS: u8 = 10;
    for generation in 0..GENERATIONS {
        let records = open();
        let before = (0..generation).map(|earlier| record(&[earlier], &[earlier]));
        let mut expected: Vec<_> = before.collect();
        if generation > 0 {
            expected.push(record(b"latest", &[generation - 1]));
        }
        assert_eq!(all(&*records, Table::Sessions), expected);
        commit(&*records, |changes| {
            changes.put(Table::Sessions, &[generation], &[generation]);
            changes.put(Table::Sessions, b"latest", &[generation]);
            changes.delete(Table::Sessions, b"never was");
        });
    }
}

/// Closing brings to the disk what a commit only gave to the operating system.
pub fn what_was_only_given_to_the_system_is_there_after_closing(open: Open<'_>) {
    let records = open();
    let mut changes = Changes::new();
    changes.put(Table::Wills, b"key", b"value");
    records.commit(&changes, Sync::System).expect("a commit succeeds");
    records.close().expect("closing succeeds");
    drop(records);
    assert_eq!(value(&*open(), Table::Wills, b"key"), Some(b"value".to_vec()));
}

/// After closing every question is answered with [`Trouble::Closed`], but closing again is no error,
/// and the place can be opened although the closed store still exists.
pub fn a_closed_store_says_so(open: Open<'_>) {
    let records = open();
    commit(&*records, |changes| changes.put(Table::Meta, b"key", b"value"));
    records.close().expect("closing succeeds");
    records.close().expect("closing again succeeds");
    let mut changes = Changes::new();
    changes.put(Table::Meta, b"key", b"too late");
    let answers = [
        records.commit(&changes, Sync::Disk),
        records.sync(),
        records.scan(Table::Meta, &mut |_, _| {}),
        records.get(Table::Meta, b"key").map(drop),
    ];
    for answer in answers {
        assert_eq!(answer.map_err(|error| error.trouble()), Err(Trouble::Closed));
    }
    assert_eq!(value(&*open(), Table::Meta, b"key"), Some(b"value".to_vec()));
}
