//! The registry: which client IDs the node knows.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use mqtt::ClientId;
use parking_lot::Mutex;

use crate::device::Device;

const SHARDS: usize = 64;

/// All devices by client ID. A look-up clones the `Arc` and holds no lock afterwards.
pub(crate) struct Devices {
    hasher: RandomState,
    shards: Box<[Mutex<HashTable<Arc<Device>>>]>,
}

impl Devices {
    pub(crate) fn new() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::new(HashTable::new())).collect();
        Devices { hasher: RandomState::default(), shards }
    }

    pub(crate) fn get(&self, client_id: &str) -> Option<Arc<Device>> {
        let hash = self.hasher.hash_one(client_id);
        let shard = self.shard(hash).lock();
        shard.find(hash, |device| device.client_id.as_str() == client_id).map(Arc::clone)
    }

    pub(crate) fn get_or_insert(&self, client_id: &ClientId) -> Arc<Device> {
        let hash = self.hasher.hash_one(client_id.as_str());
        let mut shard = self.shard(hash).lock();
        let entry = shard.entry(
            hash,
            |device| device.client_id == *client_id,
            |device| self.hasher.hash_one(device.client_id.as_str()),
        );
        Arc::clone(entry.or_insert_with(|| Device::new(client_id.clone())).get())
    }

    /// Removes the device if `gone` says so under the shard's lock.
    pub(crate) fn remove_if(&self, device: &Arc<Device>, gone: impl FnOnce() -> bool) -> bool {
        let hash = self.hasher.hash_one(device.client_id.as_str());
        let mut shard = self.shard(hash).lock();
        let Ok(entry) = shard.find_entry(hash, |present| Arc::ptr_eq(present, device)) else {
            return false;
        };
        let removed = gone();
        if removed {
            entry.remove();
        }
        removed
    }

    /// Every device at about this moment; a shard at a time is locked.
    pub(crate) fn each(&self, mut visit: impl FnMut(Arc<Device>)) {
        for devices in self.parts() {
            devices.into_iter().for_each(&mut visit);
        }
    }

    /// The same, a shard at a time; no lock is held in between.
    pub(crate) fn parts(&self) -> impl Iterator<Item = Vec<Arc<Device>>> {
        self.shards.iter().map(|shard| shard.lock().iter().map(Arc::clone).collect())
    }

    fn shard(&self, hash: u64) -> &Mutex<HashTable<Arc<Device>>> {
        // The table inside a shard uses the other bits.
        &self.shards[(hash >> 32) as usize % SHARDS]
    }
}
