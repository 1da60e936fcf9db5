//! Who there is: principals with their policies, senders' access keys, things.
//!
//! Plain data. `registry` builds it and whoever runs it swaps the whole [`Directory`]; a
//! [`Principal`] that lives on keeps its identity over a change and only its [`Grants`] are
//! exchanged, so a policy change reaches live connections without a look-up on the hot path.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use foldhash::fast::RandomState;
use policy::{Attributes, PolicySet, Thing};
use rpds::HashTrieMapSync;

/// How a principal proves who it is; the log's word for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PrincipalKind {
    /// A registered X.509 certificate; its ID is the certificate ID.
    Certificate,
    /// An access key (SigV4).
    AccessKey,
    /// Anybody on an open listener.
    Anonymous,
}

/// Whether a principal may be used at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// In use.
    Active,
    /// Registered and switched off.
    Inactive,
    /// Taken back for good.
    Revoked,
    /// The certificate's time is over.
    Expired,
}

impl Status {
    /// Why a certificate of that status is no proof: the log's reason (spec section 8) and a sentence;
    /// none if it is in use.
    pub fn refuses_certificate(self) -> Option<(&'static str, &'static str)> {
        match self {
            Status::Active => None,
            Status::Inactive => Some((
                "DEVICE_CERTIFICATE_INACTIVE",
                "The client's certificate is registered and inactive.",
            )),
            Status::Revoked => {
                Some(("DEVICE_CERTIFICATE_REVOKED", "The client's certificate is revoked."))
            }
            Status::Expired => {
                Some(("DEVICE_CERTIFICATE_EXPIRED", "The client's certificate has expired."))
            }
        }
    }
}

/// What a principal may do at present; exchanged as a whole on a reload.
#[derive(Debug)]
pub struct Grants {
    /// Whether it may be used.
    pub status: Status,
    /// The policies attached to it.
    pub policies: PolicySet,
    /// Names of the things it is attached to.
    pub things: Vec<String>,
    /// The thing it is attached to exclusively, whose name need not be the client ID.
    pub exclusive_thing: Option<String>,
}

/// Who a device or a sender proved to be.
pub struct Principal {
    /// Certificate ID, or the IAM-like unique ID of a sender.
    pub id: Arc<str>,
    /// How it proves who it is.
    pub kind: PrincipalKind,
    /// Certificate attributes for policy variables; empty for other kinds.
    pub attributes: Attributes,
    /// What it may do now.
    pub grants: ArcSwap<Grants>,
}

impl Principal {
    /// A principal with its first grants.
    pub fn new(id: &str, kind: PrincipalKind, attributes: Attributes, grants: Grants) -> Arc<Self> {
        let grants = ArcSwap::from_pointee(grants);
        Arc::new(Principal { id: id.into(), kind, attributes, grants })
    }

    /// The principal of an open listener: nobody in particular, who may do everything.
    pub fn anonymous() -> Arc<Self> {
        let grants = Grants {
            status: Status::Active,
            policies: PolicySet::allow_all(),
            things: Vec::new(),
            exclusive_thing: None,
        };
        let none = std::iter::empty::<(String, Vec<String>)>();
        Self::new("anonymous", PrincipalKind::Anonymous, Attributes::from_iter(none), grants)
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal").field("id", &self.id).field("kind", &self.kind).finish()
    }
}

/// The access key of a sender.
#[derive(Clone)]
pub struct AccessKey {
    /// The secret of the signature.
    pub secret_access_key: String,
    /// The token every request must carry beside the signature, for temporary credentials.
    pub session_token: Option<String>,
    /// When it ends, in seconds since 1970.
    pub expires: Option<i64>,
    /// Whose it is.
    pub principal: Arc<Principal>,
}

impl fmt::Debug for AccessKey {
    /// Leaves the secrets out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKey").field("principal", &self.principal).finish_non_exhaustive()
    }
}

/// A map that two directories share but for what differs between them: a copy costs next to nothing,
/// and a change what it changes, however many entries there are.
pub type Shared<V> = HashTrieMapSync<String, V, RandomState>;

/// Everybody who is registered, at one moment.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// By certificate ID (64 lower-case hex digits).
    pub certificates: Shared<Arc<Principal>>,
    /// By access key ID. Looked up for each signed request and changed seldom, so it is copied as a
    /// whole for a change.
    pub access_keys: Arc<HashMap<String, AccessKey>>,
    /// By thing name, each as for a principal that it is attached to.
    pub things: Shared<Arc<Thing>>,
}

impl Directory {
    /// The thing that a connection of a principal with these grants speaks for: the certificate's
    /// exclusive thing, or else the one whose name equals the client ID (spec 6.4).
    pub fn thing_of(&self, grants: &Grants, client_id: &str) -> Option<Arc<Thing>> {
        let name = grants.exclusive_thing.as_deref().unwrap_or(client_id);
        let thing = self.things.get(name)?;
        let attached = grants.exclusive_thing.is_some() || grants.things.iter().any(|t| t == name);
        if thing.attached == attached {
            return Some(Arc::clone(thing));
        }
        Some(Arc::new(Thing { attached, ..Thing::clone(thing) }))
    }
}
