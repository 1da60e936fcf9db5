//! A look at fjall's journal files before fjall changes them.
//!
//! fjall takes damage for the end of a file and cuts off what follows. Here every batch of every file
//! is read first. An older file was on the disk as a whole before the next one was begun, so it
//! has to be whole. The end of the newest one may be torn; whether it is torn too early is seen by
//! the number of commits. The sequence numbers, which no checksum of fjall covers, have to rise.
//!
//! A batch is `1 ‖ items: u32 ‖ sequence number: u64`, the items, and `3 ‖ XXH3 of the items: u64 ‖
//! "FJL" ‖ 3`; an item is `2 ‖ kind: u8 ‖ compression: u8 ‖ keyspace: u64 ‖ key length: u16 ‖ value length:
//! u32 ‖ length as stored: u32`, the key and the value as stored. Integers are little-endian. Zeros are
//! room for more.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use store::StoreError;
use xxhash_rust::xxh3::Xxh3;

use crate::cause;

const START: u8 = 1;
const ITEM: u8 = 2;
const END: u8 = 3;
const TRAILER: [u8; 4] = *b"FJL\x03";

/// What comes next in a file.
enum Step {
    /// A whole batch with this sequence number.
    Batch(u64),
    /// The room for more, or the end of the file.
    Room,
    /// Something that no writer leaves, except where it was interrupted.
    Torn,
}

/// Checks the journal files in fjall's folder.
pub(crate) fn check(folder: &Path, data: &Path) -> Result<(), StoreError> {
    let files = files(data).map_err(|error| StoreError::io("reading", data, &error))?;
    let mut latest = None;
    for (index, (_, path)) in files.iter().enumerate() {
        let newest = index + 1 == files.len();
        let whole = check_file(path, newest, &mut latest);
        if !whole.map_err(|error| StoreError::io("reading", path, &error))? {
            return Err(cause::damaged(folder, &format!("in {}", path.display())));
        }
    }
    Ok(())
}

/// The files with their numbers, in order.
fn files(data: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut files = Vec::new();
    if !data.try_exists()? {
        return Ok(files);
    }
    for entry in fs::read_dir(data)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "jnl") {
            let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
            files.extend(number.map(|number| (number, path)));
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// Whether the file is as it was written. `latest` is the last sequence number so far.
fn check_file(path: &Path, newest: bool, latest: &mut Option<u64>) -> io::Result<bool> {
    let mut reader = BufReader::with_capacity(1 << 16, File::open(path)?);
    loop {
        match next(&mut reader) {
            Ok(Step::Batch(number)) if *latest >= Some(number) => return Ok(false),
            Ok(Step::Batch(number)) => *latest = Some(number),
            Ok(Step::Room) => return Ok(newest || only_zeros(&mut reader)?),
            Ok(Step::Torn) => return Ok(newest),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(newest),
            Err(error) => return Err(error),
        }
    }
}

fn next(reader: &mut impl Read) -> io::Result<Step> {
    let mut tag = [0];
    if reader.read(&mut tag)? == 0 || tag[0] == 0 {
        return Ok(Step::Room);
    }
    if tag[0] != START {
        return Ok(Step::Torn);
    }
    let items = u32::from_le_bytes(array(reader)?);
    let number = u64::from_le_bytes(array(reader)?);
    let mut digest = Xxh3::new();
    for _ in 0..items {
        if !item(reader, &mut digest)? {
            return Ok(Step::Torn);
        }
    }
    let end: [u8; 1] = array(reader)?;
    let expected = u64::from_le_bytes(array(reader)?);
    let trailer: [u8; 4] = array(reader)?;
    let whole = end == [END] && expected == digest.digest() && trailer == TRAILER;
    Ok(if whole { Step::Batch(number) } else { Step::Torn })
}

/// Adds an item to the digest. Says whether it is one.
fn item(reader: &mut impl Read, digest: &mut Xxh3) -> io::Result<bool> {
    let head: [u8; 21] = array(reader)?;
    if head[0] != ITEM {
        return Ok(false);
    }
    digest.update(&head);
    let key_bytes = u64::from(u16::from_le_bytes([head[11], head[12]]));
    let value_bytes = u64::from(u32::from_le_bytes([head[17], head[18], head[19], head[20]]));
    let mut rest = reader.take(key_bytes + value_bytes);
    let mut buffer = [0; 4096];
    while rest.limit() > 0 {
        match rest.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            bytes => digest.update(&buffer[..bytes]),
        }
    }
    Ok(true)
}

fn array<const N: usize>(reader: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn only_zeros(reader: &mut impl Read) -> io::Result<bool> {
    let mut buffer = [0; 1 << 16];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(true),
            bytes if buffer[..bytes].iter().all(|byte| *byte == 0) => {}
            _ => return Ok(false),
        }
    }
}

#[cfg(test)]
mod tests;
