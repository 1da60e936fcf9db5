//! One file of a trail.
//!
//! `"10-4 tr\n" ‖ format: u32`, then entries: `length: u32 ‖ XXH3 of the bytes, its lower half: u32 ‖
//! bytes`. Integers are little-endian.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

const MAGIC: [u8; 8] = *b"10-4 tr\n";
const FORMAT: u32 = 1;
const HEAD_BYTES: usize = 12;

/// What is in a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Whole entries up to its end, so many.
    Whole(usize),
    /// Whole entries, so many, in the first bytes, so many; then something else.
    Torn(usize, u64),
    /// The beginning is not that of a file of this format.
    Foreign,
}

/// Appends an entry in the form in which a file has it.
pub(super) fn frame(entry: &[u8], out: &mut Vec<u8>) {
    let length = u32::try_from(entry.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&digest(entry).to_le_bytes());
    out.extend_from_slice(entry);
}

/// Makes a new file.
pub(super) fn create(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().append(true).create_new(true).open(path)?;
    file.write_all(&MAGIC)?;
    file.write_all(&FORMAT.to_le_bytes())?;
    Ok(file)
}

/// Visits the whole entries of a file, in their order.
pub(super) fn read(path: &Path, visit: &mut dyn FnMut(&[u8])) -> io::Result<Content> {
    let bytes = fs::read(path)?;
    let head = [MAGIC.as_slice(), &FORMAT.to_le_bytes()].concat();
    let Some(mut rest) = bytes.strip_prefix(head.as_slice()) else {
        // It may have been cut off while it was made.
        let begun = head.starts_with(&bytes);
        return Ok(if begun { Content::Torn(0, 0) } else { Content::Foreign });
    };
    let mut entries = 0;
    while let Some((entry, behind)) = first(rest) {
        visit(entry);
        entries += 1;
        rest = behind;
    }
    if rest.is_empty() {
        return Ok(Content::Whole(entries));
    }
    Ok(Content::Torn(entries, (bytes.len() - rest.len()) as u64))
}

/// Takes away what follows the whole entries of a torn file, or the file if there are none.
pub(super) fn mend(path: &Path, whole: u64) -> io::Result<()> {
    if whole <= HEAD_BYTES as u64 {
        return fs::remove_file(path);
    }
    let file = OpenOptions::new().write(true).open(path)?;
    file.set_len(whole)?;
    file.sync_all()
}

fn first(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (expected, rest) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (entry, rest) = rest.split_at_checked(length)?;
    // No entry is empty; zeros are what a power failure leaves.
    let whole = length > 0 && digest(entry) == u32::from_le_bytes(*expected);
    whole.then_some((entry, rest))
}

/// The lower half of the digest.
fn digest(entry: &[u8]) -> u32 {
    let [half @ .., _, _, _, _] = xxh3_64(entry).to_le_bytes();
    u32::from_le_bytes(half)
}
