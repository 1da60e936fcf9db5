//! The registry folder: certificates, senders, things and policies, loaded into the engine's
//! [`Directory`] and followed while the server runs.
//!
//! A change is applied as a whole or not at all. Principals that stay keep their identity: only
//! their grants are exchanged, which live connections see at once. A principal whose file goes
//! away is revoked, and revived when the file comes back.

mod contents;
mod entry;
mod files;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use engine::directory::{AccessKey, Directory, Grants, Principal, Status};
use policy::PolicySet;

use crate::config::{Config, Mistakes, MqttAccess, PrincipalName};
use contents::{Contents, Reading};
use entry::Entry;
use files::Snapshot;

/// How often to call [`Registry::poll`].
pub const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// How much there is in a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Registered certificates.
    pub certificates: usize,
    /// Senders with an access key.
    pub senders: usize,
    /// Things.
    pub things: usize,
    /// Policy documents.
    pub policies: usize,
}

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
    },
    /// They say something new that is wrong; what was in force before stays.
    Broken(Mistakes),
}

/// What makes a principal the same over a reload.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Certificate(String),
    AccessKey(String),
}

/// The registry folder and what it came to.
pub struct Registry {
    root: PathBuf,
    directory: Arc<ArcSwap<Directory>>,
    names: HashMap<PrincipalName, Arc<Principal>>,
    /// Everybody there has been who is still held by somebody.
    known: HashMap<Key, Weak<Principal>>,
    summary: Summary,
    warnings: Mistakes,
    /// The files the last reading depended on, what they looked like before it, and what it read.
    files: Vec<PathBuf>,
    seen: Snapshot,
    digest: u64,
}

impl Registry {
    /// Loads the registry folder of a configuration.
    ///
    /// # Errors
    /// Every mistake in its files, and a principal of the configuration that it does not have.
    pub fn open(config: &Config) -> Result<Registry, Mistakes> {
        let registry = Self::open_folder(config.registry.clone())?;
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

    fn open_folder(root: PathBuf) -> Result<Registry, Mistakes> {
        let seen = Snapshot::take(&root, &[]);
        let reading = Reading::of(&root);
        let contents = reading.contents?;
        let mut registry = Registry {
            root,
            directory: Arc::default(),
            names: HashMap::new(),
            known: HashMap::new(),
            summary: contents.summary(),
            warnings: Mistakes::default(),
            files: reading.files,
            seen,
            digest: reading.digest,
        };
        registry.apply(contents);
        Ok(registry)
    }

    /// Everybody who is registered; exchanged by [`Registry::poll`].
    pub fn directory(&self) -> Arc<ArcSwap<Directory>> {
        Arc::clone(&self.directory)
    }

    /// The principal of that name.
    pub fn principal(&self, name: &PrincipalName) -> Option<Arc<Principal>> {
        self.names.get(name).cloned()
    }

    /// The names of all principals, in order.
    pub fn names(&self) -> Vec<&PrincipalName> {
        let mut names: Vec<_> = self.names.keys().collect();
        names.sort();
        names
    }

    /// How much there is.
    pub fn summary(&self) -> Summary {
        self.summary
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
        if !look.may_differ(&self.seen) {
            return Reload::Unchanged;
        }
        let reading = Reading::of(&self.root);
        let is_new = reading.digest != self.digest;
        // The look is from before the reading, so that a change in between shows at the next poll.
        (self.seen, self.files, self.digest) = (look, reading.files, reading.digest);
        if !is_new {
            return Reload::Unchanged;
        }
        match reading.contents {
            Ok(contents) => {
                self.apply(contents);
                Reload::Applied { summary: self.summary, warnings: self.warnings.clone() }
            }
            Err(mistakes) => Reload::Broken(mistakes),
        }
    }

    fn apply(&mut self, contents: Contents) {
        self.summary = contents.summary();
        let Contents { entries, things, policies, warnings } = contents;
        self.warnings = warnings;
        let mut directory = Directory { things, ..Directory::default() };
        let before = std::mem::take(&mut self.names);
        for mut entry in entries {
            let attached = entry.policies.iter().filter_map(|reference| {
                let document = policies.get(&reference.name)?.clone()?;
                Some((reference.name.clone(), document))
            });
            let policies = PolicySet::new(attached.collect());
            let credentials = entry.credentials.take();
            let name = entry.name.clone();
            let key = match &credentials {
                Some(credentials) => Key::AccessKey(credentials.access_key_id.clone()),
                None => Key::Certificate(entry.id.clone()),
            };
            let principal = self.principal_for(key, entry, policies);
            match credentials {
                Some(credentials) => {
                    let key = AccessKey {
                        secret_access_key: credentials.secret_access_key,
                        session_token: credentials.session_token,
                        expires: credentials.expires,
                        principal: Arc::clone(&principal),
                    };
                    directory.access_keys.insert(credentials.access_key_id, key);
                }
                None => {
                    let id = principal.id.to_string();
                    directory.certificates.insert(id, Arc::clone(&principal));
                }
            }
            self.names.insert(name, principal);
        }
        let stay: HashSet<_> = self.names.values().map(Arc::as_ptr).collect();
        for gone in before.values().filter(|old| !stay.contains(&Arc::as_ptr(old))) {
            gone.grants.store(Arc::new(Grants {
                status: Status::Revoked,
                policies: PolicySet::default(),
                things: Vec::new(),
                exclusive_thing: None,
            }));
        }
        self.known.retain(|_, principal| principal.strong_count() > 0);
        self.directory.store(Arc::new(directory));
    }

    /// The principal of an entry with its new grants: the one there was, if it is the same.
    fn principal_for(&mut self, key: Key, entry: Entry, policies: PolicySet) -> Arc<Principal> {
        let grants = Grants {
            status: entry.status,
            policies,
            things: entry.things.into_iter().map(|thing| thing.name).collect(),
            exclusive_thing: entry.exclusive_thing.map(|thing| thing.name),
        };
        let same =
            |known: &Arc<Principal>| *known.id == *entry.id && known.attributes == entry.attributes;
        let known = self.known.get(&key).and_then(Weak::upgrade).filter(same);
        if let Some(principal) = known {
            principal.grants.store(Arc::new(grants));
            return principal;
        }
        let principal = Principal::new(&entry.id, entry.kind, entry.attributes, grants);
        self.known.insert(key, Arc::downgrade(&principal));
        principal
    }
}

impl Contents {
    fn summary(&self) -> Summary {
        let senders = self.entries.iter().filter(|entry| entry.credentials.is_some()).count();
        Summary {
            certificates: self.entries.len() - senders,
            senders,
            things: self.things.len(),
            policies: self.policies.len(),
        }
    }
}
