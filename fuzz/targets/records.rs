//! Records of the store: reading never panics, and what is read is written and read back the same.

#![no_main]

use engine::Wall;
use libfuzzer_sys::fuzz_target;
use store::Changes;
use store::record::queue::{self, Queued};
use store::record::{RecordError, received, retained, session, shadow, subscription, will};

const WALL: Wall = Wall::new(1_000_000);

/// Reads a record and writes it.
type Rewrite = fn(&[u8], &[u8], &mut Changes) -> Result<(), RecordError>;

const TABLES: [Rewrite; 7] = [
    |key, value, written| {
        let (client_id, record) = session::read(key, value)?;
        session::put(written, &client_id, &record);
        Ok(())
    },
    |key, value, written| {
        let (number, record) = subscription::read(key, value)?;
        subscription::put(written, number, &record);
        Ok(())
    },
    |key, value, written| {
        let (number, record) = queue::read(key, value, WALL)?;
        match record {
            Queued::Message(entry, id) => queue::put(written, number, &entry, id, WALL),
            Queued::Released { seq, packet_id } => {
                queue::put_released(written, number, seq, packet_id);
            }
        }
        Ok(())
    },
    |key, _, written| {
        let (number, packet_id) = received::read(key)?;
        received::put(written, number, packet_id);
        Ok(())
    },
    |_, value, written| {
        retained::put(written, &retained::read(value, WALL)?, WALL);
        Ok(())
    },
    |key, value, written| {
        let (client_id, record) = will::read(key, value, WALL)?;
        let message = (&record.message, record.expiry_seconds);
        will::put(written, &client_id, message, record.due_at, WALL);
        Ok(())
    },
    |key, value, written| {
        let (key, record) = shadow::read(key, value)?;
        shadow::put(written, key, &record);
        Ok(())
    },
];

// The first byte chooses the table, the second is the length of the key.
fuzz_target!(|bytes: &[u8]| {
    let Some((&[table, length], record)) = bytes.split_first_chunk() else { return };
    let rewrite = TABLES[usize::from(table) % TABLES.len()];
    let Some((key, value)) = record.split_at_checked(usize::from(length)) else { return };
    let mut written = Changes::new();
    if rewrite(key, value, &mut written).is_err() {
        return;
    }
    // The form that is read need not be the one that is written, the value of a number, say, can be
    // written with more bytes than it needs.
    let mut again = Changes::new();
    for change in written.iter() {
        let value = change.value.expect("it is kept");
        rewrite(change.key, value, &mut again).expect("what was written can be read");
    }
    assert_eq!(again, written);
});
