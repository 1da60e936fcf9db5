//! The data folder of `tenfour dev`: what a first start needs, made once and then left alone.

mod access_key;
mod certificates;
mod guide;
mod ready;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

pub use access_key::AccessKey;
use certificates::Certificates;
pub use guide::Guide;
pub use ready::{DeviceFiles, ReadyFile};

use crate::config;

/// The client ID of the device in a new folder.
pub const DEVICE: &str = "myDevice";
const CONFIG: &str = "tenfour.toml";
const DEVICE_CERTIFICATE: &str = "devices/myDevice.cert.pem";
const DEVICE_KEY: &str = "devices/myDevice.private.key";
const OWNER_ONLY: u32 = 0o600;
const EVERYBODY_READS: u32 = 0o644;

/// A data folder that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFolder {
    path: PathBuf,
    is_new: bool,
}

/// Why there is no data folder.
#[derive(Debug)]
pub enum DataFolderError {
    /// The folder holds something else, or what is left of a data folder.
    NotADataFolder(PathBuf),
    /// The file system refused.
    Files(PathBuf, io::Error),
    /// Keys and certificates could not be made.
    Certificates(rcgen::Error),
    /// The operating system gave no randomness.
    Randomness,
}

impl fmt::Display for DataFolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DataFolderError::NotADataFolder(path) => write!(
                f,
                "{} is not empty and has no {CONFIG}; name another folder with --dir, put the \
                 file back, or delete the folder to have it made anew",
                path.display()
            ),
            DataFolderError::Files(path, error) => write!(f, "{}: {error}", path.display()),
            DataFolderError::Certificates(error) => write!(f, "cannot make certificates: {error}"),
            DataFolderError::Randomness => {
                f.write_str("the operating system gives no random bytes for access keys")
            }
        }
    }
}

impl std::error::Error for DataFolderError {}

impl DataFolder {
    /// The data folder `path`; made with everything in it when there is none or an empty one.
    /// A folder with a configuration is left as it is, whatever else it has.
    ///
    /// # Errors
    /// Says why there is none; nothing is left half-made.
    pub fn open_or_create(path: &Path) -> Result<DataFolder, DataFolderError> {
        let path = &std::path::absolute(path).map_err(files_error(path))?;
        if path.join(CONFIG).exists() {
            return Ok(DataFolder { path: path.clone(), is_new: false });
        }
        match fs::read_dir(path).map(|mut entries| entries.next().is_none()) {
            Ok(true) => {}
            Ok(false) => return Err(DataFolderError::NotADataFolder(path.clone())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(files_error(path)(error)),
        }
        create(path)
    }

    /// The folder, absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether this call made it.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// Its configuration file.
    pub fn config_file(&self) -> PathBuf {
        self.path.join(CONFIG)
    }

    /// What the device holds; `None` when somebody took it away.
    pub fn device(&self) -> Option<DeviceFiles> {
        let (cert, key) = (self.path.join(DEVICE_CERTIFICATE), self.path.join(DEVICE_KEY));
        let exist = cert.is_file() && key.is_file();
        exist.then(|| DeviceFiles { client_id: DEVICE.to_owned(), cert, key })
    }

    /// The access key of `registry/senders/NAME.toml`; `None` when there is no such sender.
    pub fn sender(&self, name: &str) -> Option<AccessKey> {
        let file = self.path.join("registry/senders").join(format!("{name}.toml"));
        let text = fs::read_to_string(&file).ok()?;
        let text_of = |value: config::Value<'_>| value.text().map(str::to_owned);
        let (key, _mistakes) = config::read(&file, &text, |table| {
            Some(AccessKey {
                access_key_id: table.get("access_key_id").and_then(text_of)?,
                secret_access_key: table.get("secret_access_key").and_then(text_of)?,
            })
        });
        key
    }
}

/// Makes the folder beside its final place and moves it there as a whole, so that a start that is
/// interrupted leaves no half of one.
fn create(path: &Path) -> Result<DataFolder, DataFolderError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = path.with_file_name(format!("{name}.new-{}", std::process::id()));
    let made = fill(&draft).and_then(|()| fs::rename(&draft, path).map_err(files_error(path)));
    if let Err(error) = made {
        // The draft is ours alone; failing to remove it must not hide the first error.
        let _ = fs::remove_dir_all(&draft);
        // Another start may have been faster; its folder is as good.
        return match path.join(CONFIG).exists() {
            true => Ok(DataFolder { path: path.to_owned(), is_new: false }),
            false => Err(error),
        };
    }
    Ok(DataFolder { path: path.to_owned(), is_new: true })
}

fn fill(folder: &Path) -> Result<(), DataFolderError> {
    let certificates = Certificates::generate().map_err(DataFolderError::Certificates)?;
    let key = || AccessKey::generate().map_err(|_| DataFolderError::Randomness);
    let comment = "A backend, with the announcement's sender policy.";
    let backend = key()?.sender_file(comment, &["backend"]);
    let admin = key()?.sender_file("May do everything.", &["admin"]);
    let Certificates { ca, server, device } = &certificates;
    let public: [(&str, &str); 11] = [
        (".gitignore", "*\n"),
        ("README.txt", include_str!("template/README.txt")),
        (CONFIG, include_str!("template/tenfour.toml")),
        ("tls/ca.pem", &ca.certificate),
        ("tls/server.pem", &server.certificate),
        (DEVICE_CERTIFICATE, &device.certificate),
        ("registry/certificates/myDevice.toml", include_str!("template/certificate.toml")),
        ("registry/things/myDevice.toml", include_str!("template/thing.toml")),
        ("registry/policies/myDevice.json", include_str!("template/device.json")),
        ("registry/policies/backend.json", include_str!("template/backend.json")),
        ("registry/policies/admin.json", include_str!("template/admin.json")),
    ];
    let secret: [(&str, &str); 5] = [
        ("tls/ca.key", &ca.key),
        ("tls/server.key", &server.key),
        (DEVICE_KEY, &device.key),
        ("registry/senders/backend.toml", &backend),
        ("registry/senders/admin.toml", &admin),
    ];
    let public = public.into_iter().map(|file| (file, EVERYBODY_READS));
    for ((name, text), mode) in public.chain(secret.into_iter().map(|file| (file, OWNER_ONLY))) {
        let path = folder.join(name);
        write(&path, text, mode).map_err(files_error(&path))?;
    }
    Ok(())
}

fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(text.as_bytes())
}

fn files_error(path: &Path) -> impl Fn(io::Error) -> DataFolderError {
    let path = path.to_owned();
    move |error| DataFolderError::Files(path.clone(), error)
}
