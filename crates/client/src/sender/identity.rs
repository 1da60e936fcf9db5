//! Who sends.

use std::fmt;

use ::identity::sigv4::{Credentials, SignatureError, Signer};

/// Who sends.
#[derive(Clone, Debug)]
pub enum SenderIdentity {
    /// A holder of an access key: every request is signed with SigV4.
    AccessKey(AccessKey),
    /// The holder of the client certificate in [`SenderOptions::tls`](crate::SenderOptions::tls).
    Certificate,
    /// Nobody: for a plain listener that is open.
    Anonymous,
}

/// An access key and what its signatures are for.
#[derive(Clone)]
pub struct AccessKey {
    /// The access key id, which everybody may see.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: String,
    /// The session token, for temporary credentials only.
    pub session_token: Option<String>,
    /// The region of the server.
    pub region: String,
}

impl AccessKey {
    /// The signing name that boto3 and the AWS command line use (spec 3.1).
    const SERVICE: &str = "iotdata";

    pub(super) fn signer(&self) -> Result<Signer, SignatureError> {
        let credentials = Credentials {
            access_key_id: &self.access_key_id,
            secret_access_key: &self.secret_access_key,
            session_token: self.session_token.as_deref(),
        };
        Signer::new(credentials, &self.region, Self::SERVICE)
    }
}

impl fmt::Debug for AccessKey {
    /// Leaves the secrets out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKey")
            .field("access_key_id", &self.access_key_id)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}
