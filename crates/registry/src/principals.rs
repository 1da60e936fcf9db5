//! Who connects and calls: the engine's directory, kept in step with the records.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use engine::directory::{AccessKey, Directory, Grants, Principal, PrincipalKind, Status};
use policy::{Attributes, Document, PolicySet};

use crate::certificate::Certificate;
use crate::sender::Sender;
use crate::thing::Thing;

/// What makes a principal the same over a change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrincipalKey {
    /// A certificate, by its ID.
    Certificate(String),
    /// A sender, by its access key ID.
    AccessKey(String),
}

/// The policies of a principal by name, with their documents.
pub(crate) type Documents = Vec<(String, Arc<Document>)>;

/// The directory in force and everybody who is still held by somebody.
#[derive(Debug, Default)]
pub(crate) struct Principals {
    directory: Directory,
    /// Everybody there has been: a certificate that comes back is the same principal to the
    /// connections that it has.
    known: HashMap<PrincipalKey, Weak<Principal>>,
    /// When to look for those whom nobody holds any more.
    tidy_at: usize,
}

/// The fewest principals that are worth being tidied up.
const TIDY: usize = 1024;

impl Principals {
    /// The directory in force. A copy of it costs next to nothing.
    pub(crate) fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The principal of that key, if it is registered.
    pub(crate) fn get(&self, key: &PrincipalKey) -> Option<&Arc<Principal>> {
        match key {
            PrincipalKey::Certificate(id) => self.directory.certificates.get(id),
            PrincipalKey::AccessKey(id) => Some(&self.directory.access_keys.get(id)?.principal),
        }
    }

    /// A certificate is there, or has changed; `now` is in seconds since 1970. Gives the principal if
    /// it was in use and is not any more.
    pub(crate) fn put_certificate(
        &mut self,
        certificate: &Certificate,
        documents: Documents,
        now: i64,
    ) -> Option<Arc<Principal>> {
        let grants = Grants {
            status: certificate.status_at(now),
            policies: PolicySet::new(documents),
            things: certificate.things.keys().cloned().collect(),
            exclusive_thing: certificate.exclusive_thing().map(str::to_owned),
        };
        let new = New {
            key: PrincipalKey::Certificate(certificate.id.clone()),
            id: &certificate.id,
            kind: PrincipalKind::Certificate,
            attributes: &certificate.attributes,
        };
        let (principal, ended) = self.grant(new, grants);
        let present = self.directory.certificates.get(&certificate.id);
        if !present.is_some_and(|present| Arc::ptr_eq(present, &principal)) {
            self.directory.certificates.insert_mut(certificate.id.clone(), principal);
        }
        ended
    }

    /// A sender is there, or has changed. Gives the principal if it was in use and is not any more.
    pub(crate) fn put_sender(
        &mut self,
        sender: &Sender,
        documents: Documents,
    ) -> Option<Arc<Principal>> {
        let grants = Grants {
            status: sender.status,
            policies: PolicySet::new(documents),
            things: Vec::new(),
            exclusive_thing: None,
        };
        let none = std::iter::empty::<(String, Vec<String>)>();
        let new = New {
            key: PrincipalKey::AccessKey(sender.access_key_id.clone()),
            id: &sender.principal_id,
            kind: PrincipalKind::AccessKey,
            attributes: &Attributes::from_iter(none),
        };
        let (principal, ended) = self.grant(new, grants);
        let present = self.directory.access_keys.get(&sender.access_key_id);
        let same = present.is_some_and(|present| {
            Arc::ptr_eq(&present.principal, &principal)
                && present.secret_access_key == sender.secret_access_key
                && present.session_token == sender.session_token
                && present.expires == sender.expires
        });
        if !same {
            let key = AccessKey {
                secret_access_key: sender.secret_access_key.clone(),
                session_token: sender.session_token.clone(),
                expires: sender.expires,
                principal,
            };
            Arc::make_mut(&mut self.directory.access_keys)
                .insert(sender.access_key_id.clone(), key);
        }
        ended
    }

    /// A principal is registered no longer. Gives it if it was in use.
    pub(crate) fn remove(&mut self, key: &PrincipalKey) -> Option<Arc<Principal>> {
        let principal = Arc::clone(self.get(key)?);
        match key {
            PrincipalKey::Certificate(id) => {
                self.directory.certificates.remove_mut(id);
            }
            PrincipalKey::AccessKey(id) => {
                Arc::make_mut(&mut self.directory.access_keys).remove(id);
            }
        }
        take_back(principal)
    }

    /// A thing is there, or has changed.
    pub(crate) fn put_thing(&mut self, thing: &Thing) {
        self.directory.things.insert_mut(thing.name.clone(), Arc::new(thing.facts()));
    }

    /// There is no such thing any more.
    pub(crate) fn remove_thing(&mut self, name: &str) {
        self.directory.things.remove_mut(name);
    }

    /// The principal with its new grants: the one there was, if it is the same. Second, whoever of
    /// that key was in use and is not any more: the same again, or the one whose place it takes.
    fn grant(&mut self, new: New<'_>, grants: Grants) -> (Arc<Principal>, Option<Arc<Principal>>) {
        let New { key, id, kind, attributes } = new;
        let same = |known: &Arc<Principal>| *known.id == *id && known.attributes == *attributes;
        let active = grants.status == Status::Active;
        let known = self.known.get(&key).and_then(Weak::upgrade);
        if let Some(known) = known.as_ref().filter(|known| same(known)) {
            let before = known.grants.swap(Arc::new(grants));
            let ended = before.status == Status::Active && !active;
            return (Arc::clone(known), ended.then(|| Arc::clone(known)));
        }
        // Whoever is somebody else from now on is nobody any more under the old name: no later
        // change would reach the connections that go on with it.
        let ended = known.and_then(take_back);
        let principal = Principal::new(id, kind, attributes.clone(), grants);
        if self.known.len() >= self.tidy_at {
            self.known.retain(|_, principal| principal.strong_count() > 0);
            self.tidy_at = (self.known.len() * 2).max(TIDY);
        }
        self.known.insert(key, Arc::downgrade(&principal));
        (principal, ended)
    }
}

/// Takes everything back from a principal. Gives it if it was in use.
fn take_back(principal: Arc<Principal>) -> Option<Arc<Principal>> {
    let before = principal.grants.swap(Arc::new(Grants {
        status: Status::Revoked,
        policies: PolicySet::default(),
        things: Vec::new(),
        exclusive_thing: None,
    }));
    (before.status == Status::Active).then_some(principal)
}

/// What a principal is, whatever it may do.
struct New<'a> {
    key: PrincipalKey,
    id: &'a str,
    kind: PrincipalKind,
    attributes: &'a Attributes,
}
