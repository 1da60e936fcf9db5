//! Who and what is registered: certificates, certificate authorities, policies with their versions,
//! things, the access keys of senders, and what is written to the log.
//!
//! Decides without I/O, clock and randomness: the time, keys and IDs come as values. A record comes
//! from a file or was made through the API ([`Source`]), and either kind is looked up in the same
//! way. An operation is a function over the [`Registry`] that gives a [`Change`] or says why not
//! ([`Refused`]); the same change goes into the store and, with [`Registry::apply`], into force. What
//! connections and requests look things up in, the engine's [`Directory`](engine::directory::Directory),
//! is changed along, and only where the change is: principals that stay keep their identity.

mod attachment;
mod authorities;
mod authority;
mod certificate;
mod certificates;
mod change;
mod expiry;
mod files;
mod issuer;
mod key;
mod logging;
mod membership;
mod page;
mod policies;
mod policy;
mod principals;
mod refused;
mod sender;
mod shelf;
mod source;
mod state;
mod thing;
mod things;

pub use attachment::{POLICIES_PER_CERTIFICATE, certificate_id, target};
pub use authorities::{AUTHORITIES_PER_SUBJECT, AuthorityUpdate};
pub use authority::{Authority, AuthorityStatus};
pub use certificate::{Attachment, Certificate, CertificateStatus, Mode, Validity};
pub use change::{Change, Edit, Record};
pub use files::{Clash, ClashOf};
pub use issuer::Issuer;
pub use key::Key;
pub use logging::{LOG_TARGETS, LogLevel, LogTarget, Logging, LoggingUpdate};
pub use page::{Order, Page, Place};
pub use policies::{DOCUMENT_CHARACTERS, NewVersion, VERSIONS, check_policy_name};
pub use policy::{Policy, PolicyVersion};
pub use principals::PrincipalKey;
pub use refused::Refused;
pub use sender::Sender;
pub use shelf::{Kept, Shelf};
pub use source::Source;
pub use state::{Effects, Registry, Summary};
pub use thing::Thing;
pub use things::{NewThing, ThingUpdate, check_thing_name};
