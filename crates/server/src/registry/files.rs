//! The files of the registry folder, and whether they have changed.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::config::{Mistakes, closest, list};

/// A file changed less than this ago may change again without a difference in its time.
const TIME_GRAIN: Duration = Duration::from_secs(2);

/// What a file of the registry describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Certificate,
    Sender,
    Thing,
    Policy,
}

impl Kind {
    const ALL: [Kind; 4] = [Kind::Certificate, Kind::Sender, Kind::Thing, Kind::Policy];

    const fn folder(self) -> &'static str {
        match self {
            Kind::Certificate => "certificates",
            Kind::Sender => "senders",
            Kind::Thing => "things",
            Kind::Policy => "policies",
        }
    }

    /// The path in the registry of the file of that name.
    pub(super) fn file(self, name: &str) -> PathBuf {
        Path::new(self.folder()).join(format!("{name}.{}", self.extension()))
    }

    const fn extension(self) -> &'static str {
        match self {
            Kind::Certificate | Kind::Sender | Kind::Thing => "toml",
            Kind::Policy => "json",
        }
    }
}

/// A file of the registry.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) kind: Kind,
    /// The file's name without its extension: the name of what it describes.
    pub(super) name: String,
    pub(super) path: PathBuf,
}

/// Lists the files of the registry `root`, in order. Hidden files and other extensions are left
/// alone: editors and Kubernetes keep theirs beside ours.
pub(super) fn find(root: &Path) -> (Vec<Found>, Mistakes) {
    let (mut found, mut mistakes) = (Vec::new(), Mistakes::default());
    let folders = Kind::ALL.map(Kind::folder);
    match entries(root) {
        Ok(paths) => {
            for path in paths.iter().filter(|path| path.is_dir()) {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                if !folders.contains(&name.as_ref()) {
                    let advice = match closest(&name, &folders) {
                        Some(folder) => format!("did you mean `{folder}`?"),
                        None => format!("a registry has {}", list(&folders)),
                    };
                    mistakes.add_file(path, format!("unknown folder; {advice}"));
                }
            }
        }
        Err(error) => mistakes.add_file(root, format!("cannot be listed: {error}")),
    }
    for kind in Kind::ALL {
        let folder = root.join(kind.folder());
        let paths = match entries(&folder) {
            Ok(paths) => paths,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                mistakes.add_file(&folder, format!("cannot be listed: {error}"));
                continue;
            }
        };
        for path in paths {
            if path.extension().is_none_or(|extension| extension != kind.extension()) {
                continue;
            }
            match path.file_stem().and_then(|name| name.to_str()) {
                Some(name) => found.push(Found { kind, name: name.to_owned(), path }),
                None => mistakes.add_file(&path, "the file's name is not UTF-8; rename it"),
            }
        }
    }
    (found, mistakes)
}

/// What is in a folder and not hidden, in order.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

/// Reads files and remembers which and what, so that a later look can tell whether there is
/// anything new.
#[derive(Default)]
pub(super) struct Reader {
    read: Vec<PathBuf>,
    digest: DefaultHasher,
}

impl Reader {
    /// The contents of a file.
    pub(super) fn read(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        let contents = fs::read(path);
        self.read.push(path.to_owned());
        path.hash(&mut self.digest);
        contents.as_ref().map_err(io::Error::to_string).hash(&mut self.digest);
        contents
    }

    /// Takes what is wrong with the folder itself into the digest.
    pub(super) fn note(&mut self, mistakes: &Mistakes) {
        mistakes.to_string().hash(&mut self.digest);
    }

    /// The files read, and a digest of their names and contents.
    pub(super) fn finish(self) -> (Vec<PathBuf>, u64) {
        (self.read, self.digest.finish())
    }
}

/// What a cheap look at files tells, through symbolic links. `None` is a file that is not there.
type Stamp = Option<(u64, u64, u64, SystemTime, (i64, i64))>;

/// A cheap look at the files of a registry and those they refer to.
#[derive(Default)]
pub(super) struct Snapshot {
    stamps: BTreeMap<PathBuf, Stamp>,
    /// Whether every change since then must show in a stamp.
    settled: bool,
}

impl Snapshot {
    /// Looks at the files of the registry `root` and at `others`.
    pub(super) fn take(root: &Path, others: &[PathBuf]) -> Snapshot {
        let now = SystemTime::now();
        let (found, _mistakes) = find(root);
        let folders = Kind::ALL.map(|kind| root.join(kind.folder()));
        let paths = found.into_iter().map(|found| found.path).chain(others.iter().cloned());
        let stamps: BTreeMap<_, _> = paths
            .chain(folders)
            .chain([root.to_owned()])
            .map(|path| (path.clone(), stamp(&path)))
            .collect();
        let settled = stamps.values().flatten().all(|(_, _, _, modified, _)| {
            now.duration_since(*modified).is_ok_and(|age| age >= TIME_GRAIN)
        });
        Snapshot { stamps, settled }
    }

    /// Whether the files may differ between `earlier` and this look.
    pub(super) fn may_differ(&self, earlier: &Snapshot) -> bool {
        !earlier.settled || self.stamps != earlier.stamps
    }
}

fn stamp(path: &Path) -> Stamp {
    let metadata = fs::metadata(path).ok()?;
    let modified = metadata.modified().ok()?;
    let changed = (metadata.ctime(), metadata.ctime_nsec());
    Some((metadata.dev(), metadata.ino(), metadata.len(), modified, changed))
}
