//! A sequence of commits in which the number of the last one says what all tables hold.

use std::collections::BTreeMap;

use store::{Changes, Records, StoreError, Sync, Table};

const LAST: &[u8] = b"last";
const SESSIONS: u64 = 5;
/// The records of a commit are deleted by the one that comes so much later.
const LIFE: u64 = 3;

type Contents = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

fn queue_keys(number: u64) -> impl Iterator<Item = [u8; 16]> {
    let key = move |sequence: u64| {
        let mut key = [0; 16];
        key[..8].copy_from_slice(&(number % SESSIONS).to_be_bytes());
        key[8..].copy_from_slice(&(number * 10 + sequence).to_be_bytes());
        key
    };
    (0..=number % 7).map(key)
}

fn payload(number: u64) -> Vec<u8> {
    let length = usize::try_from(number * 37 % 2_000).unwrap();
    number.to_be_bytes().into_iter().cycle().take(length).collect()
}

/// The changes of a commit; the first has the number 1.
pub fn changes(number: u64) -> Changes {
    let mut changes = Changes::new();
    changes.put(Table::Meta, LAST, &number.to_be_bytes());
    for key in queue_keys(number) {
        changes.put(Table::Queues, &key, &payload(number));
    }
    if number > LIFE {
        for key in queue_keys(number - LIFE) {
            changes.delete(Table::Queues, &key);
        }
    }
    let session = (number % SESSIONS).to_be_bytes();
    changes.put(Table::Sessions, &session, &number.to_be_bytes());
    changes
}

/// What is there after the commit of that number.
fn expected(number: u64) -> Contents {
    let mut contents = Contents::new();
    // What came before is deleted or overwritten by then.
    for earlier in number.saturating_sub(SESSIONS + LIFE).max(1)..=number {
        for change in changes(earlier).iter() {
            let key = (change.table, change.key.to_vec());
            match change.value {
                Some(value) => contents.insert(key, value.to_vec()),
                None => contents.remove(&key),
            };
        }
    }
    contents
}

/// The number of the last commit that is there, after a check that this one and all before it are
/// there as a whole, and nothing else.
pub fn check(records: &dyn Records) -> Result<u64, StoreError> {
    let mut found = Contents::new();
    for table in Table::ALL {
        records.scan(table, &mut |key, value| {
            found.insert((table, key.to_vec()), value.to_vec());
        })?;
    }
    let last = found.get(&(Table::Meta, LAST.to_vec()));
    let last = last.map_or(0, |bytes| u64::from_be_bytes(bytes.as_slice().try_into().unwrap()));
    assert!(found == expected(last), "the tables are not those of commit {last}");
    Ok(last)
}

/// Commits up to that number, from the one after what is there.
pub fn commit_up_to(records: &dyn Records, number: u64, sync: Sync) {
    for next in check(records).unwrap() + 1..=number {
        records.commit(&changes(next), sync).unwrap();
    }
}
