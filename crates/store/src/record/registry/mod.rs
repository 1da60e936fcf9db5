//! The table of what was registered through the API. A key is a byte that names the kind, and the
//! record's name.

mod certificate;
mod logging;
mod policy;
mod sender;
mod thing;

use registry::{Change, Edit, Issuer, Key, Record};
use serde::{Deserialize, Serialize};

use self::certificate::{AuthorityRecord, CertificateRecord};
use self::logging::LoggingRecord;
use self::policy::PolicyRecord;
use self::sender::SenderRecord;
use self::thing::ThingRecord;
use super::{RecordError, decode, encode, text};
use crate::{Changes, Table};

const TABLE: Table = Table::Registry;

const CERTIFICATE: u8 = b'c';
const AUTHORITY: u8 = b'a';
const POLICY: u8 = b'p';
const THING: u8 = b't';
const SENDER: u8 = b's';
const REGISTRATION_CODE: u8 = b'r';
const ISSUER: u8 = b'i';
const LOGGING: u8 = b'l';

#[derive(Serialize, Deserialize)]
struct IssuerRecord {
    certificate: String,
    key: String,
}

/// Keeps what a change of the registry says. What a certificate says to policies is not kept: it is
/// in the certificate.
pub fn write(changes: &mut Changes, change: &Change) {
    for edit in &change.edits {
        match edit {
            Edit::Put(record) => changes.put(TABLE, &key_bytes(&record.key()), &value(record)),
            Edit::Delete(key) => changes.delete(TABLE, &key_bytes(key)),
        }
    }
}

/// The record.
///
/// # Errors
/// [`RecordError`].
pub fn read(key: &[u8], value: &[u8]) -> Result<Record, RecordError> {
    let short = RecordError::new(TABLE, "its key is empty");
    let (&kind, name) = key.split_first().ok_or(short)?;
    let name = text(TABLE, name)?.to_owned();
    Ok(match kind {
        CERTIFICATE => {
            Record::Certificate(decode::<CertificateRecord>(TABLE, value)?.certificate(name)?)
        }
        AUTHORITY => Record::Authority(decode::<AuthorityRecord>(TABLE, value)?.authority(name)?),
        POLICY => Record::Policy(decode::<PolicyRecord>(TABLE, value)?.policy(name)?),
        THING => Record::Thing(decode::<ThingRecord>(TABLE, value)?.thing(name)),
        SENDER => Record::Sender(decode::<SenderRecord>(TABLE, value)?.sender(name)?),
        REGISTRATION_CODE => Record::RegistrationCode(decode(TABLE, value)?),
        ISSUER => {
            let IssuerRecord { certificate, key } = decode(TABLE, value)?;
            Record::Issuer(Issuer { certificate, key })
        }
        LOGGING => Record::Logging(decode::<LoggingRecord>(TABLE, value)?.logging()?),
        _ => return Err(RecordError::new(TABLE, "its kind is unknown")),
    })
}

fn key_bytes(key: &Key) -> Vec<u8> {
    let kind = match key {
        Key::Certificate(_) => CERTIFICATE,
        Key::Authority(_) => AUTHORITY,
        Key::Policy(_) => POLICY,
        Key::Thing(_) => THING,
        Key::Sender(_) => SENDER,
        Key::RegistrationCode => REGISTRATION_CODE,
        Key::Issuer => ISSUER,
        Key::Logging => LOGGING,
    };
    [&[kind], key.name().as_bytes()].concat()
}

fn value(record: &Record) -> Vec<u8> {
    match record {
        Record::Certificate(certificate) => encode(&CertificateRecord::new(certificate)),
        Record::Authority(authority) => encode(&AuthorityRecord::new(authority)),
        Record::Policy(policy) => encode(&PolicyRecord::new(policy)),
        Record::Thing(thing) => encode(&ThingRecord::new(thing)),
        Record::Sender(sender) => encode(&SenderRecord::new(sender)),
        Record::RegistrationCode(code) => encode(code),
        Record::Issuer(Issuer { certificate, key }) => {
            encode(&IssuerRecord { certificate: certificate.clone(), key: key.clone() })
        }
        Record::Logging(logging) => encode(&LoggingRecord::new(logging)),
    }
}
