//! Policies.

use registry::{Policy, PolicyVersion, Source};
use serde::{Deserialize, Serialize};

use super::TABLE;
use crate::record::RecordError;

#[derive(Serialize, Deserialize)]
pub(super) struct PolicyRecord {
    created_at: i64,
    modified_at: i64,
    generation: String,
    versions: Vec<VersionRecord>,
    default: u32,
    next: u32,
}

#[derive(Serialize, Deserialize)]
pub(super) struct VersionRecord {
    number: u32,
    text: String,
    created_at: i64,
}

impl PolicyRecord {
    pub(super) fn new(policy: &Policy) -> Self {
        PolicyRecord {
            created_at: policy.created_at,
            modified_at: policy.modified_at,
            generation: policy.generation.clone(),
            versions: policy.versions.iter().map(VersionRecord::new).collect(),
            default: policy.default,
            next: policy.next,
        }
    }

    pub(super) fn policy(self, name: String) -> Result<Policy, RecordError> {
        let versions = self.versions.into_iter().map(VersionRecord::version);
        Ok(Policy {
            name,
            source: Source::Api,
            created_at: self.created_at,
            modified_at: self.modified_at,
            generation: self.generation,
            versions: versions.collect::<Result<_, _>>()?,
            default: self.default,
            next: self.next,
        })
    }
}

impl VersionRecord {
    pub(super) fn new(version: &PolicyVersion) -> Self {
        let PolicyVersion { number, text, document: _, created_at } = version;
        VersionRecord { number: *number, text: text.clone(), created_at: *created_at }
    }

    pub(super) fn version(self) -> Result<PolicyVersion, RecordError> {
        let VersionRecord { number, text, created_at } = self;
        PolicyVersion::parse(number, text, created_at)
            .map_err(|_| RecordError::new(TABLE, "its policy document is not valid"))
    }
}
