//! The configuration file, `tenfour.toml`.
//!
//! [`Config::load`] reads it and finds every mistake at once, each with file and line.

mod document;
mod listeners;
mod log;
mod mistake;
mod overrides;
mod principal;
mod quotas;
mod remote;
mod storage;
#[cfg(test)]
mod tests;
mod tls;
mod traces;
mod webhook;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use engine::limits::{Bounds, Quotas};
use engine::profile::{self, Profile};

pub use document::{Table, Value, closest, list, read};
pub use listeners::{ListenerName, Listeners, MqttAccess};
pub use log::{KeptLog, Log, LogTarget};
pub use mistake::{Mistakes, Place};
pub use overrides::Overrides;
pub use principal::PrincipalName;
pub use remote::Remote;
pub use storage::Storage;
pub use tls::Tls;
pub use traces::Traces;
pub use webhook::Webhook;

/// The region when the configuration names none: the one of AWS's examples.
pub const DEFAULT_REGION: &str = "us-west-2";
/// The account when the configuration names none: the one of AWS's examples.
pub const DEFAULT_ACCOUNT: &str = "123456789012";

/// More threads than any machine has use for.
const MAX_THREADS: u64 = 1024;

/// Everything `tenfour.toml` says, with paths made relative to where the process runs.
#[derive(Clone, Debug)]
pub struct Config {
    /// The AWS region in ARNs and signatures.
    pub region: String,
    /// The AWS account in ARNs, 12 digits.
    pub account: String,
    /// The MQTT rules in force.
    pub profile: &'static Profile,
    /// How many threads serve connections; none for one a core.
    pub threads: Option<NonZeroUsize>,
    /// The folder with certificates, senders, things and policies; empty when
    /// [`Config::inspect`] found that the one named does not exist.
    pub registry: PathBuf,
    /// The server's certificate; there is one if a TLS listener is served.
    pub tls: Option<Tls>,
    /// Where the server listens.
    pub listeners: Listeners,
    /// What is kept, and how safely.
    pub storage: Storage,
    /// Where receipts are posted to; nowhere if there is none.
    pub webhook: Option<Webhook>,
    /// Which traces are told to whom; none to anybody if there is none.
    pub traces: Option<Traces>,
    /// The quotas of the contract.
    pub quotas: Quotas,
    /// What protects this process from its peers.
    pub bounds: Bounds,
    /// The log.
    pub log: Log,
}

impl Config {
    /// Reads the configuration file.
    ///
    /// # Errors
    /// Every mistake in it, and in the certificate files it names.
    pub fn load(file: &Path) -> Result<Config, Mistakes> {
        Self::load_with(file, &Overrides::default())
    }

    /// Reads the configuration file as the command line wants it.
    ///
    /// # Errors
    /// As for [`Config::load`], and what the command line would make wrong.
    pub fn load_with(file: &Path, overrides: &Overrides) -> Result<Config, Mistakes> {
        let (config, mistakes) = Self::inspect_as(file, overrides.profile);
        match config {
            Some(config) => mistakes.or(config)?.with(overrides),
            None => Err(mistakes),
        }
    }

    /// Reads the configuration file, and returns what could be made of it along with every
    /// mistake in it and in the certificate files it names. `None` if it cannot be read at all.
    pub fn inspect(file: &Path) -> (Option<Config>, Mistakes) {
        Self::inspect_as(file, None)
    }

    /// The same, with that profile instead of the one in the file: its quotas are the defaults.
    fn inspect_as(file: &Path, profile: Option<&'static Profile>) -> (Option<Config>, Mistakes) {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) => {
                let mut mistakes = Mistakes::default();
                let advice = "`tenfour dev` makes a folder with a configuration to start from";
                mistakes.add_file(file, format!("cannot be read: {error}; {advice}"));
                return (None, mistakes);
            }
        };
        let ((config, places), mut mistakes) =
            read(file, &text, |table| Self::read(file, table, profile));
        let place_of = |name| {
            let found = places.iter().find(|(known, _)| *known == name);
            found.map_or_else(|| Place::File(file.to_owned()), |(_, place)| place.clone())
        };
        mistakes.append(config.listeners.verify(place_of));
        if let Some(Err(more)) = config.tls.as_ref().map(Tls::certified_key) {
            mistakes.append(more);
        }
        (Some(config), mistakes)
    }

    /// What is allowed and yet worth a look.
    pub fn warnings(&self) -> Mistakes {
        let mut warnings = self.listeners.warnings();
        if let Some(tls) = &self.tls {
            warnings.append(tls.warnings(SystemTime::now()));
        }
        if let Some(webhook) = &self.webhook {
            warnings.append(webhook.warnings());
        }
        if let Some(traces) = &self.traces {
            warnings.append(traces.warnings());
        }
        warnings
    }

    /// Where the log goes, if it goes to a file.
    pub fn log_file(&self) -> Option<&Path> {
        match &self.log.target {
            LogTarget::Stdout => None,
            LogTarget::File(path) => Some(path),
        }
    }

    fn read(
        file: &Path,
        table: &mut Table<'_>,
        instead: Option<&'static Profile>,
    ) -> (Config, Vec<(ListenerName, Place)>) {
        let folder = file.parent().unwrap_or(Path::new(""));
        let region = table.get("region").and_then(|value| value.parse(parse_region));
        let account = table.get("account").and_then(|value| value.parse(parse_account));
        let profiles = [&profile::AWS, &profile::STANDARD].map(|profile| (profile.name, profile));
        let written = table.get("profile").and_then(|value| value.one_of(&profiles));
        let profile = instead.or(written).unwrap_or(&profile::AWS);
        let threads = table.get("threads").and_then(|value| value.integer(1..=MAX_THREADS));
        let registry = match table.get("registry") {
            Some(value) => read_folder(&value),
            None => Some(folder.join("registry")),
        };
        let (listeners, places) = listeners::read(table.table("listeners"));
        let tls_table = table.table("tls");
        let tls_listener = listeners.served().find(|(name, _)| name.is_tls());
        if let (false, Some((name, _))) = (tls_table.exists(), tls_listener) {
            let advice = "write [tls] with certificate = \"…\" and key = \"…\"";
            table.mistake(format!("listener `{name}` needs the server's certificate; {advice}"));
        }
        let config = Config {
            region: region.unwrap_or_else(|| DEFAULT_REGION.to_owned()),
            account: account.unwrap_or_else(|| DEFAULT_ACCOUNT.to_owned()),
            profile,
            threads: threads.and_then(|number| NonZeroUsize::new(usize::try_from(number).ok()?)),
            registry: registry.unwrap_or_default(),
            tls: tls::read(tls_table),
            listeners,
            storage: storage::read(table.table("store"), folder),
            webhook: webhook::read(table.table("webhook")),
            traces: traces::read(table.table("traces")),
            quotas: quotas::read_quotas(table.table("quotas"), &profile.quotas),
            bounds: quotas::read_bounds(table.table("limits")),
            log: log::read(table.table("log"), folder),
        };
        (config, places)
    }
}

fn read_folder(value: &Value<'_>) -> Option<PathBuf> {
    let path = value.path()?;
    if !path.is_dir() {
        let path = path.display();
        value.mistake(format_args!("there is no folder {path}; make it, or correct the path"));
        return None;
    }
    Some(path)
}

/// A region becomes part of ARNs and of the scope of signatures, so it is made like a host label.
fn parse_region(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let edges = text.starts_with('-') || text.ends_with('-');
    if text.is_empty() || text.len() > 63 || edges || !text.chars().all(fits) {
        return Err(format!("expected a region such as \"{DEFAULT_REGION}\", not \"{text}\""));
    }
    Ok(text.to_owned())
}

fn parse_account(text: &str) -> Result<String, String> {
    if text.len() != 12 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("expected 12 digits such as \"{DEFAULT_ACCOUNT}\", not \"{text}\""));
    }
    Ok(text.to_owned())
}
