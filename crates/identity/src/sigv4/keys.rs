//! Derived signing keys, kept so that four HMACs are not spent on every request.

use std::fmt;
use std::hash::BuildHasher;
use std::num::NonZeroUsize;
use std::sync::Arc;

use aws_lc_rs::{constant_time, hmac};
use foldhash::fast::FixedState;
use parking_lot::Mutex;

use super::{Scope, TERMINATOR};

/// Enough for a few hundred access keys in use at once, at about 200 bytes for each.
const DEFAULT_SLOTS: NonZeroUsize = NonZeroUsize::new(512).expect("512 is not zero");

/// A bounded cache of signing keys, one for each access key id and scope.
///
/// The cache is a fixed number of slots and a key lives in the slot its name hashes to, so it
/// never grows and needs no eviction: two keys that share a slot displace each other, at the cost
/// of one derivation (about 2 microseconds). A slot remembers which secret its key came from, so
/// a changed secret counts from the next request on. Share one cache between all threads.
pub struct SigningKeys {
    slots: Box<[Mutex<Option<Slot>>]>,
}

struct Slot {
    credential: Box<str>,
    secret: Box<str>,
    key: Arc<hmac::Key>,
}

impl Slot {
    fn holds(&self, credential: &str, secret: &str) -> bool {
        *self.credential == *credential
            && constant_time::verify_slices_are_equal(self.secret.as_bytes(), secret.as_bytes())
                .is_ok()
    }
}

impl SigningKeys {
    /// A cache of that many slots.
    #[must_use]
    pub fn new(slots: NonZeroUsize) -> Self {
        Self { slots: (0..slots.get()).map(|_| Mutex::new(None)).collect() }
    }

    /// The key for `scope`, derived from `secret` unless it is at hand. `credential` names access
    /// key id and scope: `<access key id>/20150830/us-east-1/iotdata/aws4_request`.
    pub(super) fn get(&self, credential: &str, secret: &str, scope: Scope<'_>) -> Arc<hmac::Key> {
        let slot = self.slot(credential);
        if let Some(held) = slot.lock().as_ref().filter(|held| held.holds(credential, secret)) {
            return Arc::clone(&held.key);
        }
        // Derived outside of the lock: another thread doing the same does no harm.
        let key = Arc::new(derive(secret, scope));
        *slot.lock() = Some(Slot {
            credential: credential.into(),
            secret: secret.into(),
            key: Arc::clone(&key),
        });
        key
    }

    fn slot(&self, credential: &str) -> &Mutex<Option<Slot>> {
        // A fixed hash is safe here: only keys the server knows get this far, and a collision
        // costs time, not correctness.
        let hash = FixedState::default().hash_one(credential);
        let slots = u64::try_from(self.slots.len()).expect("a slice has fewer than 2^64 items");
        let index = usize::try_from(hash % slots).expect("less than a usize");
        &self.slots[index]
    }
}

impl Default for SigningKeys {
    fn default() -> Self {
        Self::new(DEFAULT_SLOTS)
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKeys").field("slots", &self.slots.len()).finish_non_exhaustive()
    }
}

/// SigV4's key derivation: the secret, narrowed to a day, a region and a service.
pub(super) fn derive(secret: &str, scope: Scope<'_>) -> hmac::Key {
    let mut key = hmac::Key::new(hmac::HMAC_SHA256, format!("AWS4{secret}").as_bytes());
    for part in [scope.date, scope.region, scope.service, TERMINATOR] {
        key = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, part.as_bytes()).as_ref());
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCOPE: Scope<'_> = Scope { date: "20150830", region: "us-east-1", service: "iam" };

    fn sign(key: &hmac::Key) -> Vec<u8> {
        hmac::sign(key, b"text").as_ref().to_vec()
    }

    #[test]
    fn the_derived_key_is_the_one_of_the_aws_documentation() {
        // The documentation gives the key itself; HMAC with it must give the same tag.
        let key = hmac::Key::new(
            hmac::HMAC_SHA256,
            &crate::hex::decode_32(
                "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9",
            )
            .unwrap(),
        );
        let derived = derive("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", SCOPE);
        assert_eq!(sign(&derived), sign(&key));
    }

    #[test]
    fn a_key_at_hand_is_not_derived_again() {
        let keys = SigningKeys::default();
        let first = keys.get("AKID/20150830/...", "secret", SCOPE);
        assert!(Arc::ptr_eq(&first, &keys.get("AKID/20150830/...", "secret", SCOPE)));
    }

    #[test]
    fn keys_in_the_same_slot_do_not_mix_up() {
        let keys = SigningKeys::new(NonZeroUsize::MIN);
        for (access_key_id, secret, scope) in [
            ("AKID", "secret", SCOPE),
            ("AKID", "changed", SCOPE),
            ("AKID2", "changed", SCOPE),
            ("AKID2", "changed", Scope { date: "20150831", ..SCOPE }),
            ("AKID2", "changed", Scope { region: "eu-west-1", ..SCOPE }),
            ("AKID2", "changed", Scope { service: "iotdata", ..SCOPE }),
        ] {
            let Scope { date, region, service } = scope;
            let credential = format!("{access_key_id}/{date}/{region}/{service}/{TERMINATOR}");
            let key = keys.get(&credential, secret, scope);
            assert_eq!(sign(&key), sign(&derive(secret, scope)));
        }
    }
}
