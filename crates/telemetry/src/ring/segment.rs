//! One segment: a file of whole lines, or as much in memory.
//!
//! A file is named by its number and its day: `00000001-2026-11-26.jsonl`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::{RingPlace, SLACK_MILLIS};
use crate::timestamp::{self, DAY_BYTES};

/// Longer than a line: within so many bytes of its end a file has the end of one.
const TAIL_BYTES: u64 = 512 * 1024;

/// The largest number that a file may have; so many others can follow it.
const LAST_NUMBER: u64 = u64::MAX / 2;

/// What is known of a segment.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) number: u64,
    /// Such as `2026-11-26`.
    pub(super) day: Arc<str>,
    pub(super) content: Content,
    /// Bytes of whole lines.
    pub(super) bytes: u64,
    /// The times of its entries, in milliseconds since 1970: the first and the last.
    pub(super) millis: (u64, u64),
}

/// Where the lines are.
#[derive(Clone, Debug)]
pub(super) enum Content {
    File(Arc<Path>),
    Memory(Arc<Mutex<Vec<u8>>>),
}

impl Segment {
    /// Whether lines may follow those that it has.
    pub(super) fn takes(&self, run: &Run<'_>) -> bool {
        *self.day == *run.day && run.millis.0 + SLACK_MILLIS >= self.millis.1
    }

    /// Whether an entry of these times may be among its own.
    pub(super) fn meets(&self, window: &Range<u64>) -> bool {
        let (first, last) = self.millis;
        first.saturating_sub(SLACK_MILLIS) < window.end && window.start <= last + SLACK_MILLIS
    }

    /// The bytes of a part of it; fewer if it has gone meanwhile.
    pub(super) fn read(&self, part: Range<u64>) -> io::Result<Vec<u8>> {
        let length = usize::try_from(part.end.saturating_sub(part.start)).unwrap_or(0);
        match &self.content {
            Content::Memory(lines) => {
                let start = usize::try_from(part.start).unwrap_or(usize::MAX);
                let lines = lines.lock();
                let rest = lines.get(start..).unwrap_or_default();
                Ok(rest[..length.min(rest.len())].to_vec())
            }
            Content::File(path) => {
                let mut file = match File::open(path) {
                    Ok(file) => file,
                    // It was the oldest.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
                    Err(error) => return Err(error),
                };
                file.seek(SeekFrom::Start(part.start))?;
                let mut bytes = Vec::with_capacity(length);
                file.take(length as u64).read_to_end(&mut bytes)?;
                Ok(bytes)
            }
        }
    }

    /// Takes the file away. That it is gone already, or cannot go, does not matter: it is not of
    /// the ring any more, and the next process tries again.
    pub(super) fn remove(self) {
        match self.content {
            Content::File(path) => drop(fs::remove_file(path)),
            Content::Memory(_) => {}
        }
    }
}

/// The segments that are in a folder, by their numbers. Files of other names are not looked at.
pub(super) fn find(folder: &Path) -> io::Result<Vec<Segment>> {
    fs::create_dir_all(folder)?;
    let mut segments = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Some((number, day)) = path.file_name().and_then(|name| parse_name(name.to_str()?))
        else {
            continue;
        };
        if !path.is_file() {
            continue;
        }
        match measure(&path)? {
            Some((bytes, millis)) => segments.push(Segment {
                number,
                day,
                content: Content::File(path.into()),
                bytes,
                millis,
            }),
            // No entry came to be whole.
            None => drop(fs::remove_file(path)),
        }
    }
    segments.sort_unstable_by_key(|segment| segment.number);
    Ok(segments)
}

fn name(number: u64, day: &str) -> String {
    format!("{number:08}-{day}.jsonl")
}

fn parse_name(name: &str) -> Option<(u64, Arc<str>)> {
    let (number, day) = name.strip_suffix(".jsonl")?.split_once('-')?;
    let fits = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    let is_day = day.len() == DAY_BYTES && day.bytes().enumerate().all(fits);
    let number = number.parse().ok().filter(|number| is_day && *number <= LAST_NUMBER)?;
    Some((number, day.into()))
}

/// How many bytes of a file are whole lines, and the times of the first and the last entry; none if
/// there is none. What a power failure left at the end may be longer than many lines.
fn measure(path: &Path) -> io::Result<Option<(u64, (u64, u64))>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut head = [0; 64];
    let read = file.read_at(&mut head, 0)?;
    let first = timestamp::read(&head[..read]).map(|(_, millis)| millis);
    let mut end = length;
    while end > 0 {
        let start = end.saturating_sub(TAIL_BYTES);
        if let Some((bytes, last)) = last_entry(&mut file, start)? {
            return Ok(Some((bytes, (first.unwrap_or(last).min(last), last))));
        }
        end = start;
    }
    Ok(None)
}

/// Where the last whole line ends of which there is an entry at or before it in two tails' bytes from
/// `start` on, and the time of that entry.
fn last_entry(file: &mut File, start: u64) -> io::Result<Option<(u64, u64)>> {
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    // An entry may begin before what was looked at last and end within it.
    file.take(2 * TAIL_BYTES).read_to_end(&mut bytes)?;
    let Some(end) = memchr::memrchr(b'\n', &bytes) else { return Ok(None) };
    let mut lines = bytes[..end].rsplit(|byte| *byte == b'\n');
    let last = lines.find_map(|line| timestamp::read(line).map(|(_, millis)| millis));
    Ok(last.map(|last| (start + end as u64 + 1, last)))
}

/// Lines that belong into one segment, one after the other.
#[derive(Debug)]
pub(super) struct Run<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) day: &'a str,
    /// The times of the first and the last entry, in milliseconds since 1970.
    pub(super) millis: (u64, u64),
    /// Whether they go into the segment that is being written.
    pub(super) continues: bool,
}

impl Run<'_> {
    pub(super) fn len(&self) -> u64 {
        self.bytes.len() as u64
    }
}

/// Writes into the newest segment.
#[derive(Debug, Default)]
pub(super) struct Pen(Option<Open>);

/// The segment that is being written.
#[derive(Debug)]
struct Open {
    target: Target,
    day: Arc<str>,
    bytes: u64,
    last_millis: u64,
}

#[derive(Debug)]
enum Target {
    File(File),
    Memory(Arc<Mutex<Vec<u8>>>),
}

impl Pen {
    /// As many of the lines, which are at least one, as belong into one segment of that size.
    pub(super) fn run<'a>(&self, lines: &'a [u8], segment_bytes: u64) -> Run<'a> {
        let end = memchr::memchr(b'\n', lines).map_or(lines.len(), |end| end + 1);
        let (day, first) = dated(lines).unwrap_or(("1970-01-01", 0));
        let open = self.0.as_ref().filter(|open| {
            let room = open.bytes + end as u64 <= segment_bytes;
            room && *open.day == *day && first + SLACK_MILLIS >= open.last_millis
        });
        let before = open.map_or(0, |open| open.bytes);
        let last = open.map_or(first, |open| open.last_millis.max(first));
        let mut run =
            Run { bytes: &lines[..end], day, millis: (first, last), continues: open.is_some() };
        // As a rule all of them do, which their ends tell.
        let newest = lines.len().saturating_sub(1);
        let newest = memchr::memrchr(b'\n', &lines[..newest]).map_or(0, |before| before + 1);
        if let Some((newest_day, millis)) = dated(&lines[newest..])
            && newest_day == day
            && millis + SLACK_MILLIS >= last
            && before + lines.len() as u64 <= segment_bytes
        {
            return Run { bytes: lines, millis: (first, last.max(millis)), ..run };
        }
        let mut at = end;
        while let Some(length) = memchr::memchr(b'\n', &lines[at..]) {
            let next = at + length + 1;
            let (next_day, millis) = dated(&lines[at..]).unwrap_or((day, run.millis.1));
            let fits = before + next as u64 <= segment_bytes;
            if !fits || next_day != day || millis + SLACK_MILLIS < run.millis.1 {
                break;
            }
            run.bytes = &lines[..next];
            run.millis = (run.millis.0.min(millis), run.millis.1.max(millis));
            at = next;
        }
        run
    }

    pub(super) fn is_in_use(&self) -> bool {
        self.0.is_some()
    }

    /// Ends with the present segment.
    pub(super) fn put_down(&mut self) {
        self.0 = None;
    }

    /// Goes on with a segment, after its whole lines.
    pub(super) fn resume(&mut self, segment: &Segment) -> io::Result<()> {
        let target = match &segment.content {
            Content::File(path) => Target::File(OpenOptions::new().write(true).open(path)?),
            Content::Memory(lines) => Target::Memory(Arc::clone(lines)),
        };
        let open = Open {
            target,
            day: Arc::clone(&segment.day),
            bytes: segment.bytes,
            last_millis: segment.millis.1,
        };
        open.cut()?;
        self.0 = Some(open);
        Ok(())
    }

    /// Begins a segment, of that number or the next that is free.
    pub(super) fn begin(
        &mut self,
        place: &RingPlace,
        mut number: u64,
        run: &Run<'_>,
    ) -> io::Result<Segment> {
        let (target, content) = match place {
            RingPlace::Memory => {
                let lines = Arc::default();
                (Target::Memory(Arc::clone(&lines)), Content::Memory(lines))
            }
            RingPlace::Folder(folder) => {
                let (file, path) = loop {
                    let path = folder.join(name(number, run.day));
                    match OpenOptions::new().write(true).create_new(true).open(&path) {
                        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                        file => break (file?, PathBuf::into_boxed_path(path)),
                    }
                };
                (Target::File(file), Content::File(path.into()))
            }
        };
        let day: Arc<str> = run.day.into();
        let last_millis = run.millis.1;
        self.0 = Some(Open { target, day: Arc::clone(&day), bytes: 0, last_millis });
        Ok(Segment { number, day, content, bytes: 0, millis: run.millis })
    }

    /// Writes lines. After an error none of them is there.
    pub(super) fn write(&mut self, run: &Run<'_>) -> io::Result<()> {
        let open = self.0.as_mut().ok_or(io::ErrorKind::NotFound)?;
        match &open.target {
            Target::Memory(kept) => kept.lock().extend_from_slice(run.bytes),
            Target::File(file) => {
                if let Err(error) = file.write_all_at(run.bytes, open.bytes) {
                    // What is left of them is cut off by whoever goes on, if not now.
                    let _ = open.cut();
                    return Err(error);
                }
            }
        }
        open.bytes += run.len();
        open.last_millis = run.millis.1;
        Ok(())
    }
}

impl Open {
    /// Takes away what follows the whole lines.
    fn cut(&self) -> io::Result<()> {
        match &self.target {
            Target::File(file) => file.set_len(self.bytes),
            Target::Memory(_) => Ok(()),
        }
    }
}

/// Day and time of the entry at the beginning of these bytes.
fn dated(line: &[u8]) -> Option<(&str, u64)> {
    let (day, millis) = timestamp::read(line)?;
    Some((std::str::from_utf8(day).ok()?, millis))
}
