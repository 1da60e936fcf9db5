//! What a record is.

use super::{Open, all, commit, record, value};
use crate::{MAX_KEY_BYTES, Table};

/// The last value of a key is its value.
pub fn a_put_overwrites(open: Open<'_>) {
    let records = open();
    commit(&*records, |changes| changes.put(Table::Meta, b"key", b"the first value"));
    commit(&*records, |changes| changes.put(Table::Meta, b"key", b"second"));
    assert_eq!(value(&*records, Table::Meta, b"key"), Some(b"second".to_vec()));
    assert_eq!(all(&*records, Table::Meta), [record(b"key", b"second")]);
}

/// A deleted key has no value, and deleting it again, or one that never was, is no error.
pub fn a_deleted_key_is_gone(open: Open<'_>) {
    let records = open();
    commit(&*records, |changes| {
        changes.put(Table::Meta, b"gone", b"1");
        changes.put(Table::Meta, b"stays", b"2");
    });
    for _ in 0..2 {
        commit(&*records, |changes| {
            changes.delete(Table::Meta, b"gone");
            changes.delete(Table::Meta, b"never was");
        });
    }
    assert_eq!(value(&*records, Table::Meta, b"gone"), None);
    assert_eq!(all(&*records, Table::Meta), [record(b"stays", b"2")]);
    commit(&*records, |changes| changes.put(Table::Meta, b"gone", b"back"));
    assert_eq!(value(&*records, Table::Meta, b"gone"), Some(b"back".to_vec()));
}

/// The same key in two tables is two records.
pub fn a_table_knows_nothing_of_another(open: Open<'_>) {
    let records = open();
    for table in Table::ALL {
        assert_eq!(all(&*records, table), [], "{table:?} is empty at first");
    }
    commit(&*records, |changes| {
        for table in Table::ALL {
            changes.put(table, b"key", table.name().as_bytes());
        }
    });
    commit(&*records, |changes| changes.delete(Table::Wills, b"key"));
    for table in Table::ALL {
        let expected = (table != Table::Wills).then(|| table.name().as_bytes().to_vec());
        assert_eq!(value(&*records, table, b"key"), expected, "{table:?}");
    }
}

/// A record without a value is not a record that is not there.
pub fn an_empty_value_is_a_value(open: Open<'_>) {
    let records = open();
    commit(&*records, |changes| changes.put(Table::Meta, b"key", b""));
    assert_eq!(value(&*records, Table::Meta, b"key"), Some(Vec::new()));
    drop(records);
    let records = open();
    assert_eq!(all(&*records, Table::Meta), [record(b"key", b"")]);
}

/// Keys are bytes, and a scan has them in the order of their bytes, whatever the order they came in.
pub fn scans_are_in_the_order_of_bytes(open: Open<'_>) {
    let records = open();
    let keys: [&[u8]; 9] = [
        &[0],
        &[0, 0],
        &[0, 255],
        &[1],
        b"\n",
        b"key",
        "\u{e9}".as_bytes(),
        &[255],
        &[255, 255, 255],
    ];
    let mut shuffled = keys;
    shuffled.reverse();
    shuffled.swap(2, 7);
    for key in shuffled {
        commit(&*records, |changes| changes.put(Table::Queues, key, key));
    }
    let expected: Vec<_> = keys.iter().map(|key| record(key, key)).collect();
    assert_eq!(all(&*records, Table::Queues), expected);
    drop(records);
    assert_eq!(all(&*open(), Table::Queues), expected);
}

/// Keys of [`MAX_KEY_BYTES`] that differ in their last byte are two keys.
pub fn the_longest_keys_are_told_apart(open: Open<'_>) {
    let records = open();
    let first = vec![b'k'; MAX_KEY_BYTES];
    let mut second = first.clone();
    second[MAX_KEY_BYTES - 1] = b'l';
    commit(&*records, |changes| {
        changes.put(Table::Retained, &second, b"2");
        changes.put(Table::Retained, &first, b"1");
    });
    drop(records);
    let records = open();
    assert_eq!(all(&*records, Table::Retained), [record(&first, b"1"), record(&second, b"2")]);
}

/// A value of 16 MiB comes back byte for byte, also after opening again.
pub fn large_values_are_whole(open: Open<'_>) {
    let records = open();
    let large: Vec<u8> = (0..16 << 20).map(|at: u32| at.wrapping_mul(0x9e37_79b1) as u8).collect();
    commit(&*records, |changes| {
        changes.put(Table::Retained, b"large", &large);
        changes.put(Table::Retained, b"small", b"1");
    });
    assert!(value(&*records, Table::Retained, b"large") == Some(large.clone()));
    drop(records);
    let records = open();
    assert!(value(&*records, Table::Retained, b"large") == Some(large));
    assert_eq!(value(&*records, Table::Retained, b"small"), Some(b"1".to_vec()));
}

/// 100,000 records of many commits are there, before and after opening again.
pub fn many_records_are_all_there(open: Open<'_>) {
    const COMMITS: u64 = 100;
    const RECORDS: u64 = 1_000;
    let records = open();
    for session in 0..COMMITS {
        commit(&*records, |changes| {
            for sequence in 0..RECORDS {
                changes.put(Table::Queues, &queue_key(session, sequence), &[session as u8; 64]);
            }
        });
    }
    expect_queues(&*records, COMMITS, RECORDS);
    drop(records);
    expect_queues(&*open(), COMMITS, RECORDS);
}

fn queue_key(session: u64, sequence: u64) -> [u8; 16] {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&session.to_be_bytes());
    key[8..].copy_from_slice(&sequence.to_be_bytes());
    key
}

fn expect_queues(records: &dyn crate::Records, sessions: u64, sequences: u64) {
    let mut expected = (0..sessions).flat_map(|s| (0..sequences).map(move |q| (s, q)));
    let mut visit = |key: &[u8], value: &[u8]| {
        let (session, sequence) = expected.next().expect("no record too many");
        assert_eq!(key, queue_key(session, sequence));
        assert_eq!(value, [session as u8; 64]);
    };
    records.scan(Table::Queues, &mut visit).expect("a table can be read");
    assert_eq!(expected.next(), None, "every record is there");
}
