//! Access keys that look like AWS's.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand;

/// Both alphabets have a power of two of letters, so that a masked random byte picks evenly.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// An access key of a sender, as clients hold it.
#[derive(Clone, PartialEq, Eq, serde::Serialize)]
pub struct AccessKey {
    /// `AKIA` and 16 letters or digits.
    pub access_key_id: String,
    /// 40 characters.
    pub secret_access_key: String,
}

impl AccessKey {
    /// A new one, from the operating system's randomness.
    ///
    /// # Errors
    /// The operating system gave none.
    pub fn generate() -> Result<AccessKey, Unspecified> {
        Ok(AccessKey {
            access_key_id: format!("AKIA{}", random_text::<16>(BASE32)?),
            secret_access_key: random_text::<40>(BASE64)?,
        })
    }
}

impl AccessKey {
    /// The file of a sender in the registry, with a comment on its first line. The names of policies
    /// need no escapes.
    pub fn sender_file(&self, comment: &str, policies: &[&str]) -> String {
        let AccessKey { access_key_id, secret_access_key } = self;
        let policies: Vec<String> = policies.iter().map(|name| format!("\"{name}\"")).collect();
        let policies = policies.join(", ");
        format!(
            "# {comment}\n\
             access_key_id = \"{access_key_id}\"\n\
             secret_access_key = \"{secret_access_key}\"\n\
             status = \"ACTIVE\"               # ACTIVE INACTIVE\n\
             policies = [{policies}]\n"
        )
    }
}

impl std::fmt::Debug for AccessKey {
    /// Leaves the secret out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessKey")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

fn random_text<const LENGTH: usize>(alphabet: &[u8]) -> Result<String, Unspecified> {
    let mut bytes = [0; LENGTH];
    rand::fill(&mut bytes)?;
    let letter = |byte: u8| char::from(alphabet[usize::from(byte) % alphabet.len()]);
    Ok(bytes.into_iter().map(letter).collect())
}
