//! Senders and their access keys.

use std::collections::BTreeSet;

use engine::directory::Status;
use registry::{Sender, Source};
use serde::{Deserialize, Serialize};

use super::policy::VersionRecord;
use crate::record::RecordError;

#[derive(Serialize, Deserialize)]
pub(super) struct SenderRecord {
    label: String,
    secret_access_key: String,
    session_token: Option<String>,
    expires: Option<i64>,
    principal_id: String,
    active: bool,
    policies: BTreeSet<String>,
    own_policy: Option<VersionRecord>,
    created_at: i64,
}

impl SenderRecord {
    pub(super) fn new(sender: &Sender) -> Self {
        SenderRecord {
            label: sender.label.clone(),
            secret_access_key: sender.secret_access_key.clone(),
            session_token: sender.session_token.clone(),
            expires: sender.expires,
            principal_id: sender.principal_id.clone(),
            active: sender.status == Status::Active,
            policies: sender.policies.clone(),
            own_policy: sender.own_policy.as_ref().map(VersionRecord::new),
            created_at: sender.created_at,
        }
    }

    pub(super) fn sender(self, access_key_id: String) -> Result<Sender, RecordError> {
        Ok(Sender {
            label: self.label,
            source: Source::Api,
            access_key_id,
            secret_access_key: self.secret_access_key,
            session_token: self.session_token,
            expires: self.expires,
            principal_id: self.principal_id,
            status: if self.active { Status::Active } else { Status::Inactive },
            policies: self.policies,
            own_policy: self.own_policy.map(VersionRecord::version).transpose()?,
            created_at: self.created_at,
        })
    }
}
