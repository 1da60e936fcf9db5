//! Certificates and senders as their files describe them.

use ::registry::{
    Attachment, Certificate, CertificateStatus, Mode, PrincipalKey, Record, Sender, Validity,
};
use aws_lc_rs::digest;
use engine::directory::Status;
use identity::x509::{self, CertificateId};
use policy::Attributes;

use super::contents::Origin;
use super::files::Reader;
use crate::config::{Place, PrincipalName, Table, Value};

/// A name one file uses for what another describes.
pub(super) struct Reference {
    pub(super) name: String,
    pub(super) place: Place,
}

/// What a sender signs with.
pub(super) struct Credentials {
    pub(super) access_key_id: String,
    pub(super) secret_access_key: String,
    pub(super) session_token: Option<String>,
    pub(super) expires: Option<i64>,
}

/// A certificate or a sender.
pub(super) struct Entry {
    pub(super) name: PrincipalName,
    pub(super) id: String,
    origin: Origin,
    /// Where the file says what makes it unique: the certificate, or the access key ID.
    pub(super) place: Place,
    /// The certificate itself, unless the file names it by its ID only.
    certificate: Option<(String, x509::Certificate)>,
    status: Status,
    pub(super) policies: Vec<Reference>,
    pub(super) things: Vec<Reference>,
    pub(super) exclusive_thing: Option<Reference>,
    /// A sender has them.
    pub(super) credentials: Option<Credentials>,
}

const STATES: [(&str, Status); 3] =
    [("ACTIVE", Status::Active), ("INACTIVE", Status::Inactive), ("REVOKED", Status::Revoked)];

impl Entry {
    /// Reads `certificates/NAME.toml`.
    pub(super) fn read_certificate(
        name: &str,
        origin: Origin,
        table: &mut Table<'_>,
        files: &mut Reader,
    ) -> Option<Entry> {
        let certificate = table.get("certificate").map(|value| {
            let parsed = read_pem(&value, files);
            (value, parsed)
        });
        let id = table.get("id").map(|value| {
            let id = value.parse(CertificateId::parse);
            (value, id)
        });
        let status = table.get("status").and_then(|value| value.one_of(&STATES));
        let policies = references(table.get("policies"));
        let things = references(table.get("things"));
        let exclusive_thing = table.get("exclusive_thing").and_then(|value| {
            let name = value.text()?.to_owned();
            let other = things.iter().find(|thing| thing.name != name);
            if let Some(other) = other {
                value.mistake(format_args!(
                    "an exclusive thing is the only one of its certificate; take `{}` out of \
                     `things`",
                    other.name
                ));
            }
            Some(Reference { name, place: value.place() })
        });
        if let (Some((_, Some((_, parsed)))), Some((value, Some(id)))) = (&certificate, &id)
            && parsed.id != *id
        {
            value.mistake(format_args!("the certificate has the ID {}; leave `id` out", parsed.id));
        }
        let (place, id, certificate) = match (certificate, id) {
            (Some((value, parsed)), _) => {
                let (pem, parsed) = parsed?;
                (value.place(), parsed.id, Some((pem, parsed)))
            }
            (None, Some((value, id))) => (value.place(), id?, None),
            (None, None) => {
                table.mistake(
                    "there is no certificate; write certificate = \"FILE.pem\", or id = \"…\" \
                     with its 64 hexadecimal digits",
                );
                return None;
            }
        };
        Some(Entry {
            name: PrincipalName::Certificate(name.to_owned()),
            id: id.to_string(),
            origin,
            place,
            certificate,
            status: status.unwrap_or(Status::Active),
            policies,
            things,
            exclusive_thing,
            credentials: None,
        })
    }

    /// Reads `senders/NAME.toml`.
    pub(super) fn read_sender(name: &str, origin: Origin, table: &mut Table<'_>) -> Option<Entry> {
        let key_id = table.require("access_key_id", "access_key_id = \"AKIA…\"");
        let secret = table.require("secret_access_key", "secret_access_key = \"…\"");
        let secret = secret.and_then(|value| value.parse(parse_filled));
        let session_token = table.get("session_token").and_then(|value| value.parse(parse_filled));
        let expires = table.get("expires").and_then(|value| value.epoch_seconds());
        let status = table.get("status").and_then(|value| value.one_of(&STATES[..2]));
        let id = table.get("principal_id").and_then(|value| value.parse(parse_principal_id));
        let policies = references(table.get("policies"));
        let key_id = key_id?;
        let place = key_id.place();
        let access_key_id = key_id.parse(parse_access_key_id)?;
        Some(Entry {
            name: PrincipalName::Sender(name.to_owned()),
            id: id.unwrap_or_else(|| derived_principal_id(&access_key_id)),
            origin,
            place,
            certificate: None,
            status: status.unwrap_or(Status::Active),
            policies,
            things: Vec::new(),
            exclusive_thing: None,
            credentials: Some(Credentials {
                access_key_id,
                secret_access_key: secret?,
                session_token,
                expires,
            }),
        })
    }
}

impl Entry {
    /// Whether it may be used.
    pub(super) fn status(&self) -> Status {
        self.status
    }

    /// What makes it the same over a change.
    pub(super) fn key(&self) -> PrincipalKey {
        match &self.credentials {
            Some(credentials) => PrincipalKey::AccessKey(credentials.access_key_id.clone()),
            None => PrincipalKey::Certificate(self.id.clone()),
        }
    }

    /// The same as a record.
    pub(super) fn into_record(mut self) -> Record {
        match self.credentials.take() {
            Some(credentials) => Record::Sender(self.into_sender(credentials)),
            None => Record::Certificate(self.into_certificate()),
        }
    }

    fn into_certificate(self) -> Certificate {
        let things = self.things.into_iter().map(|thing| (thing.name, Attachment::NonExclusive));
        let exclusive = self.exclusive_thing.map(|thing| (thing.name, Attachment::Exclusive));
        let (pem, parsed) = self.certificate.unzip();
        let validity = |parsed: &x509::Certificate| {
            let (not_before, not_after) = (parsed.not_before, parsed.not_after);
            Validity { not_before, not_after }
        };
        let attributes = parsed.as_ref().map(x509::Certificate::policy_attributes);
        Certificate {
            generation: derived_uuid(&format!("certificates/{}", self.id)),
            id: self.id,
            source: self.origin.source,
            pem,
            status: match self.status {
                Status::Active => CertificateStatus::Active,
                Status::Inactive => CertificateStatus::Inactive,
                Status::Revoked | Status::Expired => CertificateStatus::Revoked,
            },
            mode: Mode::Default,
            authority: None,
            created_at: self.origin.at,
            modified_at: self.origin.at,
            version: 1,
            validity: parsed.as_ref().map(validity),
            attributes: Attributes::from_iter(attributes.unwrap_or_default()),
            policies: self.policies.into_iter().map(|policy| policy.name).collect(),
            things: things.chain(exclusive).collect(),
        }
    }

    fn into_sender(self, credentials: Credentials) -> Sender {
        let Credentials { access_key_id, secret_access_key, session_token, expires } = credentials;
        Sender {
            label: self.name.to_string(),
            source: self.origin.source,
            access_key_id,
            secret_access_key,
            session_token,
            expires,
            principal_id: self.id,
            status: self.status,
            policies: self.policies.into_iter().map(|policy| policy.name).collect(),
            own_policy: None,
            created_at: self.origin.at,
        }
    }
}

/// An ID in the form of a UUID, always the same for what a file describes.
pub(super) fn derived_uuid(name: &str) -> String {
    let digest = digest::digest(&digest::SHA256, name.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.as_ref()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

/// The certificate's text and what it says.
fn read_pem(value: &Value<'_>, files: &mut Reader) -> Option<(String, x509::Certificate)> {
    let path = value.path()?;
    let pem = match files.read(&path) {
        Ok(pem) => pem,
        Err(error) => {
            value.mistake(format_args!("cannot read {}: {error}", path.display()));
            return None;
        }
    };
    match x509::parse_pem(&pem) {
        Ok((der, certificate)) => Some((x509::to_pem(&der), certificate)),
        Err(error) => {
            value.mistake(format_args!("{}: {error}", path.display()));
            None
        }
    }
}

fn references(value: Option<Value<'_>>) -> Vec<Reference> {
    let texts = value.and_then(|value| value.texts()).unwrap_or_default().into_iter();
    texts.map(|(name, value)| Reference { name: name.to_owned(), place: value.place() }).collect()
}

fn parse_filled(text: &str) -> Result<String, &'static str> {
    if text.is_empty() { Err("expected a text, not an empty string") } else { Ok(text.to_owned()) }
}

fn parse_access_key_id(text: &str) -> Result<String, String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !(16..=128).contains(&text.len()) || !text.bytes().all(fits) {
        return Err(format!("expected 16 to 128 letters, digits and `_`, not \"{text}\""));
    }
    Ok(text.to_owned())
}

fn parse_principal_id(text: &str) -> Result<String, &'static str> {
    if text.is_empty() || text.len() > 128 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("expected 1 to 128 printable ASCII characters without a space");
    }
    Ok(text.to_owned())
}

/// An ID like those of IAM users (`AIDA` and 17 letters or digits), always the same for a key.
fn derived_principal_id(access_key_id: &str) -> String {
    const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let digest = digest::digest(&digest::SHA256, access_key_id.as_bytes());
    let letters = digest.as_ref().iter().take(17);
    let letters = letters.map(|byte| char::from(BASE32[usize::from(byte % 32)]));
    format!("AIDA{}", letters.collect::<String>())
}
