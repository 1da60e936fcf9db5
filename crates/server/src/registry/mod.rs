//! The registry folder: certificates, senders, things and policies, read and followed while the
//! server runs.
//!
//! A change is taken up as a whole or not at all; what it means is the crate `registry`'s, and the
//! [`Registrar`] puts it into force beside what the API made.

mod contents;
mod entry;
mod files;
mod new_file;
mod sender_files;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ::registry::Clash;
pub use ::registry::Summary;
use api::{Registrar, TakenUp};
use arc_swap::ArcSwap;
use engine::directory::{Directory, Principal};
use policy::Scope;

use crate::config::{Config, Mistakes, MqttAccess, PrincipalName};
use contents::{Contents, Names, Reading};
use files::Snapshot;
pub use sender_files::{
    ListedSender, MadeSender, NewSender, create_sender, list_senders, revoke_sender,
};

/// How often to call [`Registry::poll`].
pub const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// What became of a look at the files.
#[derive(Debug)]
pub enum Reload {
    /// They say what they said before, be it good or broken.
    Unchanged,
    /// They say something new, and it is in force.
    Applied {
        /// How much there is now.
        summary: Summary,
        /// What is allowed and yet worth a look.
        warnings: Mistakes,
        /// They were in use and are not any more.
        ended: Vec<Arc<Principal>>,
    },
    /// They say something new that is wrong; what was in force before stays.
    Broken {
        /// What is wrong, but for what was told before.
        mistakes: Mistakes,
        /// They were in use and are not any more, as their files are gone: with a file that cannot
        /// be read nobody knows that, with one that clashes with something else it is known.
        ended: Vec<Arc<Principal>>,
    },
}

/// The registry folder and what it came to.
pub struct Registry {
    root: PathBuf,
    registrar: Arc<Registrar>,
    names: Names,
    warnings: Mistakes,
    /// Why what the files say is not in force, if the API made something that they describe.
    clash: Option<Mistakes>,
    /// Principals by name for whom others hold a place; exchanged with every change.
    followed: Vec<(PrincipalName, Arc<ArcSwap<Principal>>)>,
    /// The files the last reading depended on, what they looked like before it, and what it read.
    files: Vec<PathBuf>,
    seen: Snapshot,
    digest: u64,
}

impl Registry {
    /// Loads the registry folder of a configuration, and nothing that the API made.
    ///
    /// # Errors
    /// As for [`Registry::open_beside`].
    pub fn open(config: &Config) -> Result<Registry, Mistakes> {
        let scope = Scope::new(&config.region, &config.account);
        Self::open_beside(config, Registrar::new(scope))
    }

    /// Loads the registry folder of a configuration beside what `registrar` has of the API.
    ///
    /// # Errors
    /// Every mistake in its files, every file that describes what the API made, and a principal of
    /// the configuration that the folder does not have.
    pub fn open_beside(config: &Config, registrar: Arc<Registrar>) -> Result<Registry, Mistakes> {
        let registry = Self::open_folder(config.registry.clone(), registrar)?;
        let mqtt = config.listeners.mqtt.as_ref().and_then(|mqtt| mqtt.access.as_ref());
        let mut mistakes = Mistakes::default();
        if let Some(MqttAccess::Principal { name, place }) = mqtt
            && registry.principal(name).is_none()
        {
            let file = registry.root.join(format!("{name}.toml"));
            let message = format!("there is no principal `{name}`; make {}", file.display());
            mistakes.add(place.clone(), message);
        }
        mistakes.or(registry)
    }

    fn open_folder(root: PathBuf, registrar: Arc<Registrar>) -> Result<Registry, Mistakes> {
        let seen = Snapshot::take(&root, &[]);
        let reading = Reading::of(&root);
        let contents = reading.contents?;
        let mut registry = Registry {
            root,
            registrar,
            names: Names::new(),
            warnings: Mistakes::default(),
            clash: None,
            followed: Vec::new(),
            files: reading.files,
            seen,
            digest: reading.digest,
        };
        // Nobody is connected yet.
        let _ = registry.apply(contents);
        match registry.clash {
            None => Ok(registry),
            Some(mistakes) => Err(mistakes),
        }
    }

    /// Everybody who is registered, through the API too; exchanged with every change.
    pub fn directory(&self) -> Arc<ArcSwap<Directory>> {
        self.registrar.directory()
    }

    /// The principal of that name.
    pub fn principal(&self, name: &PrincipalName) -> Option<Arc<Principal>> {
        let key = self.names.get(name)?;
        self.registrar.look(|registry| registry.principal(key).cloned())
    }

    /// The principal of that name, and whoever has the name later: a file may come to describe
    /// another certificate. One that has no file any more stays, revoked.
    pub fn follow(&mut self, name: &PrincipalName) -> Option<Arc<ArcSwap<Principal>>> {
        let place = Arc::new(ArcSwap::new(self.principal(name)?));
        self.followed.push((name.clone(), Arc::clone(&place)));
        Some(place)
    }

    /// The names of all principals, in order.
    pub fn names(&self) -> Vec<&PrincipalName> {
        let mut names: Vec<_> = self.names.keys().collect();
        names.sort();
        names
    }

    /// How much there is.
    pub fn summary(&self) -> Summary {
        self.registrar.look(::registry::Registry::summary)
    }

    /// What is allowed and yet worth a look.
    pub fn warnings(&self) -> &Mistakes {
        &self.warnings
    }

    /// Where the document of a policy is.
    pub fn policy_file(&self, policy: &str) -> PathBuf {
        self.root.join("policies").join(format!("{policy}.json"))
    }

    /// Looks whether the files have changed, and applies what they say now. Reads files, so it
    /// belongs on a thread that may block; to be called every [`POLL_INTERVAL`].
    pub fn poll(&mut self) -> Reload {
        let look = Snapshot::take(&self.root, &self.files);
        // Without a change of the files, the API may have taken back what stood in their way.
        if !look.may_differ(&self.seen) && self.clash.is_none() {
            return Reload::Unchanged;
        }
        let reading = Reading::of(&self.root);
        let is_new = reading.digest != self.digest;
        // The look is from before the reading, so that a change in between shows at the next poll.
        (self.seen, self.files, self.digest) = (look, reading.files, reading.digest);
        if !is_new && self.clash.is_none() {
            return Reload::Unchanged;
        }
        let told = self.clash.take();
        let contents = match reading.contents {
            Ok(contents) => contents,
            Err(mistakes) => return Reload::Broken { mistakes, ended: Vec::new() },
        };
        let ended = self.apply(contents);
        match &self.clash {
            None => {
                Reload::Applied { summary: self.summary(), warnings: self.warnings.clone(), ended }
            }
            Some(_) if self.clash == told && ended.is_empty() => Reload::Unchanged,
            Some(_) if self.clash == told => {
                Reload::Broken { mistakes: Mistakes::default(), ended }
            }
            Some(mistakes) => Reload::Broken { mistakes: mistakes.clone(), ended },
        }
    }

    /// Takes up what the files say, or notes with what they clash. Gives those who were in use and are
    /// not any more.
    fn apply(&mut self, contents: Contents) -> Vec<Arc<Principal>> {
        let (records, names, warnings) = contents.into_records();
        let TakenUp { ended, clashes } = self.registrar.take_up(records);
        if clashes.is_empty() {
            (self.names, self.warnings, self.clash) = (names, warnings, None);
            for (name, place) in &self.followed {
                if let Some(principal) = self.principal(name) {
                    place.store(principal);
                }
            }
        } else {
            self.clash = Some(described(&clashes));
        }
        ended
    }
}

/// What is wrong with files that clash with something.
fn described(clashes: &[Clash]) -> Mistakes {
    let mut mistakes = Mistakes::default();
    for Clash { file, what } in clashes {
        mistakes.add_file(Path::new(&**file), what.to_string());
    }
    mistakes
}
