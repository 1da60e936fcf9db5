//! Files of the registry that are there as a whole or not at all, whoever looks at them meanwhile.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Nobody else makes files in a folder while this is held; a process that ends lets go of it.
#[derive(Debug)]
pub(super) struct Lock {
    /// Unlocked when it is closed.
    _folder: File,
}

impl Lock {
    /// Waits until no other process makes files in the folder.
    ///
    /// # Errors
    /// What the file system refuses.
    pub(super) fn of(folder: &Path) -> io::Result<Lock> {
        let folder = File::open(folder)?;
        folder.lock()?;
        Ok(Lock { _folder: folder })
    }
}

/// Makes a file, and the folder that it is in; on disk when this returns.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] for a file that is there, and what the file system refuses.
/// Nothing is left behind.
pub(super) fn create(_lock: &Lock, path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // Hidden: a running server leaves it alone.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = folder.join(format!(".{name}.new"));
    // Of a process that was killed: whoever lives and makes files has the lock.
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let written = write(&draft, text, mode)
        // Unlike a renaming, a link does not replace what is there.
        .and_then(|()| fs::hard_link(&draft, path));
    let removed = fs::remove_file(&draft);
    written?;
    // What is not said to be there must not be.
    removed.and_then(|()| sync(folder)).inspect_err(|_| drop(fs::remove_file(path)))
}

/// Removes a file; gone from the disk when this returns.
///
/// # Errors
/// What the file system refuses.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path)?;
    sync(path.parent().unwrap_or(Path::new(".")))
}

fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Names in a folder are durable only when the folder is.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_made_once_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("senders/a.toml");
        let lock = Lock::of(folder.path()).unwrap();
        create(&lock, &path, "one", 0o600).unwrap();
        let error = create(&lock, &path, "two", 0o600).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no drafts");
        remove(&path).unwrap();
        assert_eq!(remove(&path).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn what_a_killed_process_left_is_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".a.toml.new"), "half").unwrap();
        let path = folder.path().join("a.toml");
        create(&Lock::of(folder.path()).unwrap(), &path, "whole", 0o600).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no drafts");
    }
}
