//! The file with the number of commits that are on the disk.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use store::StoreError;
use xxhash_rust::xxh3::xxh3_64;

use crate::cause;
use crate::folder::Folder;

/// The version of the whole store's format.
pub(crate) const FORMAT: u32 = 1;

const MAGIC: [u8; 8] = *b"10-4 db\n";
/// Magic, format, number, digest of these three.
const SLOT_BYTES: usize = 8 + 4 + 8 + 8;
/// The two slots are in different sectors: a write that tears spoils one at most.
const SLOT_OFFSETS: [u64; 2] = [0, 4096];
/// Syncs of the data between two of the file.
const NUMBERS_PER_SYNC: u32 = 1024;

/// The open file.
#[derive(Debug)]
pub(crate) struct CommitsFile {
    file: File,
    path: PathBuf,
    next_slot: usize,
    since_sync: u32,
}

impl CommitsFile {
    /// The number in the file, or nothing if there is no file.
    pub(crate) fn read(folder: &Folder) -> Result<Option<u64>, StoreError> {
        let path = folder.commits();
        let mut bytes = Vec::new();
        match File::open(&path).and_then(|mut file| file.read_to_end(&mut bytes)) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::io("reading", &path, &error)),
        }
        let slots = SLOT_OFFSETS.map(|offset| slot(&bytes, offset));
        if slots.iter().flatten().any(|(format, _)| *format != FORMAT) {
            return Err(cause::version(folder.path(), "another version of Tenfour"));
        }
        let latest = slots.into_iter().flatten().map(|(_, number)| number).max();
        let what = "its file `commits` holds no number";
        latest.map(Some).ok_or_else(|| cause::damaged(folder.path(), what))
    }

    /// Makes the file if it is not there, writes the number and brings it to the disk.
    pub(crate) fn open(folder: &Folder, number: u64) -> Result<Self, StoreError> {
        let path = folder.commits();
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(|error| StoreError::io("opening", &path, &error))?;
        let mut opened = Self { file, path, next_slot: 0, since_sync: 0 };
        // Both, so that what is in them is never older than this.
        opened.write(number)?;
        opened.write(number)?;
        opened.sync()?;
        folder.sync()?;
        Ok(opened)
    }

    /// Everything up to this number is on the disk.
    pub(crate) fn write(&mut self, number: u64) -> Result<(), StoreError> {
        let slot = encode(number);
        let written = self.file.write_all_at(&slot, SLOT_OFFSETS[self.next_slot]);
        written.map_err(|error| StoreError::io("writing", &self.path, &error))?;
        self.next_slot = 1 - self.next_slot;
        self.since_sync += 1;
        if self.since_sync >= NUMBERS_PER_SYNC {
            self.sync()?;
        }
        Ok(())
    }

    /// Brings the file to the disk.
    pub(crate) fn sync(&mut self) -> Result<(), StoreError> {
        self.since_sync = 0;
        self.file.sync_data().map_err(|error| StoreError::io("syncing", &self.path, &error))
    }
}

fn encode(number: u64) -> [u8; SLOT_BYTES] {
    let mut slot = [0; SLOT_BYTES];
    slot[..8].copy_from_slice(&MAGIC);
    slot[8..12].copy_from_slice(&FORMAT.to_be_bytes());
    slot[12..20].copy_from_slice(&number.to_be_bytes());
    let digest = xxh3_64(&slot[..20]);
    slot[20..].copy_from_slice(&digest.to_be_bytes());
    slot
}

/// Format and number of a slot, if it is whole.
fn slot(bytes: &[u8], offset: u64) -> Option<(u32, u64)> {
    let offset = usize::try_from(offset).ok()?;
    let slot = bytes.get(offset..offset + SLOT_BYTES)?;
    let (content, digest) = slot.split_at(20);
    let (magic, content) = content.split_first_chunk()?;
    let (format, number) = content.split_first_chunk()?;
    let whole = *magic == MAGIC && digest == xxh3_64(&slot[..20]).to_be_bytes();
    let number = u64::from_be_bytes(number.try_into().ok()?);
    whole.then_some((u32::from_be_bytes(*format), number))
}

#[cfg(test)]
mod tests {
    use store::Trouble;

    use super::*;

    /// A folder and its file at number 7, which was 6 before.
    fn at_seven() -> (tempfile::TempDir, Folder) {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::take(place.path()).unwrap();
        let mut file = CommitsFile::open(&folder, 5).unwrap();
        file.write(6).unwrap();
        file.write(7).unwrap();
        (place, folder)
    }

    fn flip(folder: &Folder, at: u64) {
        let file = OpenOptions::new().read(true).write(true).open(folder.commits()).unwrap();
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[!byte[0]], at).unwrap();
    }

    #[test]
    fn the_last_number_is_read() {
        let (_place, folder) = at_seven();
        assert_eq!(CommitsFile::read(&folder).unwrap(), Some(7));
    }

    #[test]
    fn without_a_file_there_is_no_number() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::take(place.path()).unwrap();
        assert_eq!(CommitsFile::read(&folder).unwrap(), None);
    }

    #[test]
    fn a_torn_write_leaves_the_number_before() {
        for at in 0..SLOT_BYTES as u64 {
            let (_place, folder) = at_seven();
            flip(&folder, SLOT_OFFSETS[1] + at);
            assert_eq!(CommitsFile::read(&folder).unwrap(), Some(6), "byte {at}");
        }
    }

    #[test]
    fn without_a_whole_number_the_store_is_damaged() {
        let (_place, folder) = at_seven();
        SLOT_OFFSETS.iter().for_each(|offset| flip(&folder, offset + 15));
        assert_eq!(CommitsFile::read(&folder).unwrap_err().trouble(), Trouble::Damaged);
        std::fs::write(folder.commits(), b"").unwrap();
        assert_eq!(CommitsFile::read(&folder).unwrap_err().trouble(), Trouble::Damaged);
    }

    #[test]
    fn another_format_is_another_version() {
        let (_place, folder) = at_seven();
        let mut slot = encode(8);
        slot[8..12].copy_from_slice(&(FORMAT + 1).to_be_bytes());
        let digest = xxh3_64(&slot[..20]).to_be_bytes();
        slot[20..].copy_from_slice(&digest);
        std::fs::write(folder.commits(), slot).unwrap();
        assert_eq!(CommitsFile::read(&folder).unwrap_err().trouble(), Trouble::Version);
    }
}
