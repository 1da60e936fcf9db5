//! Everything that is registered, and how a change comes into force.

use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use engine::directory::{Directory, Principal};
use policy::Scope;

use crate::authority::Authority;
use crate::certificate::Certificate;
use crate::change::{Change, Edit, Record};
use crate::expiry::Expiries;
use crate::issuer::Issuer;
use crate::key::Key;
use crate::logging::Logging;
use crate::policy::Policy;
use crate::principals::{Documents, PrincipalKey, Principals};
use crate::refused::Refused;
use crate::sender::Sender;
use crate::shelf::{Kept, Shelf};
use crate::source::Source;
use crate::thing::Thing;

/// How much is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Certificates.
    pub certificates: usize,
    /// Senders with an access key.
    pub senders: usize,
    /// Things.
    pub things: usize,
    /// Policies.
    pub policies: usize,
}

/// What a change means to those who are connected.
#[derive(Debug, Default)]
#[must_use]
pub struct Effects {
    /// They were in use and are not any more: their connections have to end.
    pub ended: Vec<Arc<Principal>>,
}

/// Everything that is registered.
#[derive(Debug)]
pub struct Registry {
    pub(crate) scope: Scope,
    pub(crate) certificates: Shelf<Certificate>,
    pub(crate) authorities: Shelf<Authority>,
    pub(crate) policies: Shelf<Policy>,
    pub(crate) things: Shelf<Thing>,
    pub(crate) senders: Shelf<Sender>,
    pub(crate) code: Option<String>,
    issuer: Option<Arc<Issuer>>,
    pub(crate) logging: Option<Logging>,
    /// Who has a policy, by the policy's name; also of one that is not there.
    pub(crate) targets: HashMap<String, BTreeSet<PrincipalKey>>,
    /// Which certificates belong to a thing, by the thing's name; also of one that is not there.
    pub(crate) members: HashMap<String, BTreeSet<String>>,
    /// The authorities by the subject of their certificates.
    pub(crate) subjects: HashMap<Vec<u8>, BTreeSet<String>>,
    expiries: Expiries,
    principals: Principals,
}

impl Registry {
    /// Nothing is registered, in that region and account.
    pub fn new(scope: Scope) -> Self {
        Registry {
            scope,
            certificates: Shelf::default(),
            authorities: Shelf::default(),
            policies: Shelf::default(),
            things: Shelf::default(),
            senders: Shelf::default(),
            code: None,
            issuer: None,
            logging: None,
            targets: HashMap::new(),
            members: HashMap::new(),
            subjects: HashMap::new(),
            expiries: Expiries::default(),
            principals: Principals::default(),
        }
    }

    /// Region and account.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// What connections and requests look things up in, as it is now.
    pub fn directory(&self) -> Directory {
        self.principals.directory().clone()
    }

    /// The certificates.
    pub fn certificates(&self) -> &Shelf<Certificate> {
        &self.certificates
    }

    /// The authorities.
    pub fn authorities(&self) -> &Shelf<Authority> {
        &self.authorities
    }

    /// The policies.
    pub fn policies(&self) -> &Shelf<Policy> {
        &self.policies
    }

    /// The things.
    pub fn things(&self) -> &Shelf<Thing> {
        &self.things
    }

    /// The senders.
    pub fn senders(&self) -> &Shelf<Sender> {
        &self.senders
    }

    /// The authority with which this node makes certificates, once there is one.
    pub fn issuer(&self) -> Option<&Arc<Issuer>> {
        self.issuer.as_ref()
    }

    /// The principal of a certificate or sender.
    pub fn principal(&self, key: &PrincipalKey) -> Option<&Arc<Principal>> {
        self.principals.get(key)
    }

    /// Who has that policy, in order.
    pub fn targets_of<'a>(&'a self, policy: &str) -> impl Iterator<Item = &'a PrincipalKey> {
        self.targets.get(policy).into_iter().flatten()
    }

    /// The IDs of the certificates that have that policy and come after that one, in order.
    pub fn certificates_of<'a>(
        &'a self,
        policy: &str,
        after: Option<&str>,
    ) -> impl Iterator<Item = &'a str> {
        let start = match after {
            None => Bound::Unbounded,
            Some(id) => Bound::Excluded(PrincipalKey::Certificate(id.to_owned())),
        };
        let targets = self.targets.get(policy);
        let rest = targets.map(|targets| targets.range((start, Bound::Unbounded)));
        rest.into_iter().flatten().filter_map(|key| match key {
            PrincipalKey::Certificate(id) => Some(id.as_str()),
            PrincipalKey::AccessKey(_) => None,
        })
    }

    /// The IDs of the certificates that belong to that thing, in order.
    pub fn members_of<'a>(&'a self, thing: &str) -> impl Iterator<Item = &'a str> {
        self.members.get(thing).into_iter().flatten().map(String::as_str)
    }

    /// How much there is.
    pub fn summary(&self) -> Summary {
        Summary {
            certificates: self.certificates.len(),
            senders: self.senders.len(),
            things: self.things.len(),
            policies: self.policies.len(),
        }
    }

    /// Where the record of that name comes from, if there is one.
    pub fn source_of(&self, key: &Key) -> Option<&Source> {
        fn source<'a, T: Kept>(shelf: &'a Shelf<T>, name: &str) -> Option<&'a Source> {
            shelf.get(name).map(|record| record.source())
        }
        match key {
            Key::Certificate(name) => source(&self.certificates, name),
            Key::Authority(name) => source(&self.authorities, name),
            Key::Policy(name) => source(&self.policies, name),
            Key::Thing(name) => source(&self.things, name),
            Key::Sender(name) => source(&self.senders, name),
            Key::RegistrationCode | Key::Issuer | Key::Logging => None,
        }
    }

    /// Refuses a name that is taken.
    ///
    /// # Errors
    /// [`Refused::Exists`], which names the file if it is a file's.
    pub fn check_free(&self, key: Key) -> Result<(), Refused> {
        match self.source_of(&key).cloned() {
            None => Ok(()),
            Some(Source::Api) => Err(Refused::Exists { key, file: None }),
            Some(Source::File(file)) => Err(Refused::Exists { key, file: Some(file) }),
        }
    }

    /// Refuses a record that the API may not change, or that is not there.
    ///
    /// # Errors
    /// [`Refused::NotFound`], [`Refused::OfFile`].
    pub fn check_writable(&self, key: Key) -> Result<(), Refused> {
        match self.source_of(&key).cloned() {
            None => Err(Refused::NotFound(key)),
            Some(Source::Api) => Ok(()),
            Some(Source::File(file)) => Err(Refused::OfFile { key, file }),
        }
    }

    /// Brings a change into force; `now` is in seconds since 1970.
    pub fn apply(&mut self, change: Change, now: i64) -> Effects {
        let mut effects = Effects::default();
        for edit in change.edits {
            match edit {
                Edit::Put(record) => self.put(*record, now, &mut effects),
                Edit::Delete(key) => self.delete(&key, now, &mut effects),
            }
        }
        // What is gone in one step of a change and back in another has not ended.
        let active = |principal: &Arc<Principal>| {
            principal.grants.load().status == engine::directory::Status::Active
        };
        effects.ended.retain(|principal| !active(principal));
        effects
    }

    /// What has expired by `now`, in seconds since 1970, is not in use any more.
    pub fn expire(&mut self, now: i64) -> Effects {
        let mut effects = Effects::default();
        while let Some(id) = self.expiries.pop(now) {
            self.refresh(&PrincipalKey::Certificate(id), now, &mut effects);
        }
        effects
    }

    fn put(&mut self, record: Record, now: i64, effects: &mut Effects) {
        match record {
            Record::Certificate(certificate) => self.put_certificate(certificate, now, effects),
            Record::Authority(authority) => {
                let (authority, _) = self.authorities.put(authority);
                let ids = self.subjects.entry(authority.subject.clone()).or_default();
                ids.insert(authority.id.clone());
            }
            Record::Policy(policy) => {
                let (policy, _) = self.policies.put(policy);
                self.refresh_targets(&policy.name, now, effects);
            }
            Record::Thing(thing) => {
                let (thing, _) = self.things.put(thing);
                self.principals.put_thing(&thing);
            }
            Record::Sender(sender) => {
                let (sender, old) = self.senders.put(sender);
                let key = PrincipalKey::AccessKey(sender.access_key_id.clone());
                let before = old.iter().flat_map(|old| &old.policies);
                self.move_target(&key, before, &sender.policies);
                self.refresh(&key, now, effects);
            }
            Record::RegistrationCode(code) => self.code = Some(code),
            Record::Issuer(issuer) => self.issuer = Some(Arc::new(issuer)),
            Record::Logging(logging) => self.logging = Some(logging),
        }
    }

    fn put_certificate(&mut self, certificate: Certificate, now: i64, effects: &mut Effects) {
        let (certificate, old) = self.certificates.put(certificate);
        let key = PrincipalKey::Certificate(certificate.id.clone());
        let before = old.iter().flat_map(|old| &old.policies);
        self.move_target(&key, before, &certificate.policies);
        if let Some(old) = &old {
            self.expiries.remove(old);
            self.leave_things(old);
        }
        self.expiries.add(&certificate);
        for thing in certificate.things.keys() {
            self.members.entry(thing.clone()).or_default().insert(certificate.id.clone());
        }
        self.refresh(&key, now, effects);
    }

    fn delete(&mut self, key: &Key, now: i64, effects: &mut Effects) {
        match key {
            Key::Certificate(id) => {
                let Some(old) = self.certificates.remove(id) else { return };
                self.expiries.remove(&old);
                self.leave_things(&old);
                let key = PrincipalKey::Certificate(id.clone());
                self.move_target(&key, &old.policies, &BTreeSet::new());
                effects.ended.extend(self.principals.remove(&key));
            }
            Key::Authority(id) => {
                let Some(old) = self.authorities.remove(id) else { return };
                if let Some(ids) = self.subjects.get_mut(&old.subject) {
                    ids.remove(id);
                    if ids.is_empty() {
                        self.subjects.remove(&old.subject);
                    }
                }
            }
            Key::Policy(name) => {
                self.policies.remove(name);
                self.refresh_targets(name, now, effects);
            }
            Key::Thing(name) => {
                self.things.remove(name);
                self.principals.remove_thing(name);
            }
            Key::Sender(id) => {
                let Some(old) = self.senders.remove(id) else { return };
                let key = PrincipalKey::AccessKey(id.clone());
                self.move_target(&key, &old.policies, &BTreeSet::new());
                effects.ended.extend(self.principals.remove(&key));
            }
            Key::RegistrationCode => self.code = None,
            Key::Issuer => self.issuer = None,
            Key::Logging => self.logging = None,
        }
    }

    fn leave_things(&mut self, certificate: &Certificate) {
        for thing in certificate.things.keys() {
            if let Some(members) = self.members.get_mut(thing) {
                members.remove(&certificate.id);
                if members.is_empty() {
                    self.members.remove(thing);
                }
            }
        }
    }

    /// Keeps [`Registry::targets`] true for somebody who had the policies `before` and has `after`.
    fn move_target<'a>(
        &mut self,
        key: &PrincipalKey,
        before: impl IntoIterator<Item = &'a String>,
        after: &BTreeSet<String>,
    ) {
        for policy in before {
            if let (false, Some(targets)) = (after.contains(policy), self.targets.get_mut(policy)) {
                targets.remove(key);
                if targets.is_empty() {
                    self.targets.remove(policy);
                }
            }
        }
        for policy in after {
            self.targets.entry(policy.clone()).or_default().insert(key.clone());
        }
    }

    /// A policy says something new: everybody who has it is granted that.
    fn refresh_targets(&mut self, policy: &str, now: i64, effects: &mut Effects) {
        let targets: Vec<_> = self.targets_of(policy).cloned().collect();
        for target in &targets {
            self.refresh(target, now, effects);
        }
    }

    /// Grants somebody what the records say.
    fn refresh(&mut self, key: &PrincipalKey, now: i64, effects: &mut Effects) {
        let ended = match key {
            PrincipalKey::Certificate(id) => {
                let Some(certificate) = self.certificates.get(id) else { return };
                let documents = self.documents(&certificate.policies);
                self.principals.put_certificate(certificate, documents, now)
            }
            PrincipalKey::AccessKey(id) => {
                let Some(sender) = self.senders.get(id) else { return };
                let mut documents = self.documents(&sender.policies);
                let own = sender.own_policy.as_ref();
                documents.extend(own.map(|own| (sender.label.clone(), Arc::clone(&own.document))));
                self.principals.put_sender(sender, documents)
            }
        };
        effects.ended.extend(ended);
    }

    /// The documents of policies; one that is not there grants and denies nothing.
    fn documents(&self, names: &BTreeSet<String>) -> Documents {
        let document = |name: &String| {
            let version = self.policies.get(name)?.in_force()?;
            Some((name.clone(), Arc::clone(&version.document)))
        };
        names.iter().filter_map(document).collect()
    }
}
