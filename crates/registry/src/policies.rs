//! What may be done with policies.

use std::sync::Arc;

use policy::Document;

use crate::change::{Change, Record};
use crate::key::Key;
use crate::policy::{Policy, PolicyVersion};
use crate::refused::Refused;
use crate::source::Source;
use crate::state::Registry;

/// How many versions a policy may have (spec 6.1).
pub const VERSIONS: usize = 5;

/// How many characters other than white space a document may have (spec 6.1).
pub const DOCUMENT_CHARACTERS: usize = 2048;

/// Characters of a policy's name.
const NAME_CHARACTERS: usize = 128;

/// A version that is about to be made.
#[derive(Clone, Debug)]
pub struct NewVersion {
    text: String,
    document: Arc<Document>,
}

impl NewVersion {
    /// Reads a document.
    ///
    /// # Errors
    /// [`Refused::MalformedPolicy`] with every mistake and its place, [`Refused::LongPolicy`].
    pub fn parse(text: &str) -> Result<NewVersion, Refused> {
        let found = text.chars().filter(|c| !c.is_whitespace()).count();
        if found > DOCUMENT_CHARACTERS {
            return Err(Refused::LongPolicy { found, most: DOCUMENT_CHARACTERS });
        }
        let document = Document::parse(text).map_err(Refused::MalformedPolicy)?;
        Ok(NewVersion { text: text.to_owned(), document: Arc::new(document) })
    }

    fn into_version(self, number: u32, created_at: i64) -> PolicyVersion {
        PolicyVersion { number, text: self.text, document: self.document, created_at }
    }
}

/// Refuses what can be no policy's name: AWS has `[\w+=,.@-]{1,128}` (spec 6.1).
///
/// # Errors
/// [`Refused::Invalid`].
pub fn check_policy_name(name: &str) -> Result<(), Refused> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if (1..=NAME_CHARACTERS).contains(&name.len()) && name.chars().all(fits) {
        return Ok(());
    }
    Err(Refused::Invalid(
        "A policyName has 1 to 128 letters, digits and characters of _+=,.@-.".to_owned(),
    ))
}

impl Registry {
    /// The policy of that name.
    ///
    /// # Errors
    /// [`Refused::NotFound`].
    pub fn policy(&self, name: &str) -> Result<&Arc<Policy>, Refused> {
        self.policies.get(name).ok_or_else(|| Refused::NotFound(Key::Policy(name.to_owned())))
    }

    /// A version of a policy.
    ///
    /// # Errors
    /// [`Refused::NotFound`] for the policy, and for the version with the policy's name.
    pub fn policy_version(&self, name: &str, number: u32) -> Result<&PolicyVersion, Refused> {
        let policy = self.policy(name)?;
        policy.version(number).ok_or_else(|| Refused::NotFound(version_key(name, number)))
    }

    /// CreatePolicy. `at` is the time in milliseconds since 1970, `generation` an ID that no other
    /// policy has. It is attached to nothing: what the API attached to a policy of a file that went
    /// away was meant for that one.
    ///
    /// # Errors
    /// [`Refused::Invalid`] for the name, [`Refused::Exists`].
    pub fn create_policy(
        &self,
        name: &str,
        version: NewVersion,
        at: i64,
        generation: String,
    ) -> Result<Change, Refused> {
        check_policy_name(name)?;
        self.check_free(Key::Policy(name.to_owned()))?;
        let ids = self.certificates_of(name, None);
        let change = self.detached(ids, |certificate| {
            certificate.policies.remove(name);
            certificate.modified_at = at;
        });
        Ok(change.and_put(Record::Policy(Policy {
            name: name.to_owned(),
            source: Source::Api,
            created_at: at,
            modified_at: at,
            generation,
            versions: vec![version.into_version(1, at)],
            default: 1,
            next: 2,
        })))
    }

    /// CreatePolicyVersion; gives the version's number as well.
    ///
    /// # Errors
    /// [`Refused::NotFound`], [`Refused::OfFile`], [`Refused::TooManyVersions`].
    pub fn create_policy_version(
        &self,
        name: &str,
        version: NewVersion,
        default: bool,
        at: i64,
    ) -> Result<(Change, u32), Refused> {
        let mut policy = self.writable_policy(name)?;
        if policy.versions.len() >= VERSIONS {
            return Err(Refused::TooManyVersions(policy.versions.len()));
        }
        let number = policy.next;
        policy.versions.push(version.into_version(number, at));
        policy.next += 1;
        policy.modified_at = at;
        if default {
            policy.default = number;
        }
        Ok((Change::put(Record::Policy(policy)), number))
    }

    /// SetDefaultPolicyVersion.
    ///
    /// # Errors
    /// [`Refused::NotFound`], [`Refused::OfFile`].
    pub fn set_default_policy_version(
        &self,
        name: &str,
        number: u32,
        at: i64,
    ) -> Result<Change, Refused> {
        let mut policy = self.writable_policy(name)?;
        self.policy_version(name, number)?;
        if policy.default == number {
            return Ok(Change::nothing());
        }
        (policy.default, policy.modified_at) = (number, at);
        Ok(Change::put(Record::Policy(policy)))
    }

    /// DeletePolicy.
    ///
    /// # Errors
    /// [`Refused::NotFound`], [`Refused::OfFile`], [`Refused::DeleteConflict`] while it is attached
    /// or has versions besides its default.
    pub fn delete_policy(&self, name: &str) -> Result<Change, Refused> {
        let policy = self.writable_policy(name)?;
        let targets = self.targets_of(name).count();
        if targets > 0 {
            return Err(Refused::DeleteConflict(format!(
                "The policy {name} is attached to {targets} targets; detach it from them first."
            )));
        }
        if policy.versions.len() > 1 {
            return Err(Refused::DeleteConflict(format!(
                "The policy {name} has {} versions; delete those that are not its default first.",
                policy.versions.len()
            )));
        }
        Ok(Change::delete(Key::Policy(name.to_owned())))
    }

    /// DeletePolicyVersion.
    ///
    /// # Errors
    /// [`Refused::NotFound`], [`Refused::OfFile`], [`Refused::DeleteConflict`] for the default.
    pub fn delete_policy_version(
        &self,
        name: &str,
        number: u32,
        at: i64,
    ) -> Result<Change, Refused> {
        let mut policy = self.writable_policy(name)?;
        self.policy_version(name, number)?;
        if policy.default == number {
            return Err(Refused::DeleteConflict(format!(
                "Version {number} is the default of the policy {name}; make another one the \
                 default, or delete the policy."
            )));
        }
        policy.versions.retain(|version| version.number != number);
        policy.modified_at = at;
        Ok(Change::put(Record::Policy(policy)))
    }

    fn writable_policy(&self, name: &str) -> Result<Policy, Refused> {
        self.check_writable(Key::Policy(name.to_owned()))?;
        Ok(Policy::clone(self.policy(name)?))
    }
}

fn version_key(name: &str, number: u32) -> Key {
    Key::Policy(format!("{name} version {number}"))
}
