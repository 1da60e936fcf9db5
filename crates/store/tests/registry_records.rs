//! What was registered is read back as it was written.

use std::collections::{BTreeMap, BTreeSet};

use engine::directory::Status;
use registry::{
    Attachment, Authority, AuthorityStatus, Certificate, CertificateStatus, Change, Issuer, Key,
    LogLevel, LogTarget, Logging, Mode, Policy, PolicyVersion, Record, Sender, Source, Thing,
    Validity,
};
use store::record::registry::{read, write};
use store::{Changes, Table};

const TEXT: &str = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;

fn version(number: u32) -> PolicyVersion {
    PolicyVersion::parse(number, TEXT.to_owned(), 7).expect("a policy")
}

fn records() -> Vec<Record> {
    let validity = Validity { not_before: -5, not_after: i64::MAX };
    let certificate = Certificate {
        id: "0a".repeat(32),
        source: Source::Api,
        pem: Some("pem".to_owned()),
        status: CertificateStatus::PendingActivation,
        mode: Mode::SniOnly,
        authority: Some("0b".repeat(32)),
        created_at: 1_700_000_000_123,
        modified_at: 1_700_000_000_124,
        version: 3,
        generation: "g".to_owned(),
        validity: Some(validity),
        attributes: Default::default(),
        policies: BTreeSet::from(["p".to_owned(), "q".to_owned()]),
        things: BTreeMap::from([
            ("t".to_owned(), Attachment::NonExclusive),
            ("u".to_owned(), Attachment::Exclusive),
        ]),
    };
    let authority = Authority {
        id: "0b".repeat(32),
        source: Source::Api,
        pem: "pem".to_owned(),
        der: vec![1, 2],
        subject: vec![3],
        status: AuthorityStatus::Inactive,
        auto_registration: true,
        mode: Mode::Default,
        created_at: 1,
        modified_at: 2,
        version: 4,
        generation: "g".to_owned(),
        validity,
    };
    let policy = Policy {
        name: "p,=@".to_owned(),
        source: Source::Api,
        created_at: 1,
        modified_at: 2,
        generation: "g".to_owned(),
        versions: vec![version(2), version(9)],
        default: 9,
        next: 10,
    };
    let thing = Thing {
        name: "t".to_owned(),
        source: Source::Api,
        id: "i".to_owned(),
        type_name: Some("lamp".to_owned()),
        attributes: BTreeMap::from([("room".to_owned(), "ä".to_owned())]),
        version: 5,
        billing_group: Some("b".to_owned()),
        created_at: 6,
    };
    let sender = Sender {
        label: "backend".to_owned(),
        source: Source::Api,
        access_key_id: "AKIA".to_owned(),
        secret_access_key: "s".to_owned(),
        session_token: Some("t".to_owned()),
        expires: Some(9),
        principal_id: "AIDA".to_owned(),
        status: Status::Inactive,
        policies: BTreeSet::from(["p".to_owned()]),
        own_policy: Some(version(1)),
        created_at: 8,
    };
    let logging = Logging {
        role_arn: Some("arn:aws:iam::1:role/r".to_owned()),
        default_level: Some(LogLevel::Warn),
        disable_all: true,
        events: BTreeMap::from([("Connect".to_owned(), LogLevel::Disabled)]),
        targets: BTreeMap::from([
            (LogTarget::ClientId("ä".to_owned()), LogLevel::Debug),
            (LogTarget::PrincipalId("AIDA".to_owned()), LogLevel::Info),
            (LogTarget::SourceIp([10, 0, 0, 1].into()), LogLevel::Error),
        ]),
    };
    vec![
        Record::Certificate(certificate),
        Record::Authority(authority),
        Record::Policy(policy),
        Record::Thing(thing),
        Record::Sender(sender),
        Record::RegistrationCode("c".repeat(64)),
        Record::Issuer(Issuer { certificate: "c".to_owned(), key: "k".to_owned() }),
        Record::Logging(logging),
    ]
}

/// Everything that is in a record, secrets too.
fn told(record: &Record) -> String {
    let mut told = format!("{record:?}");
    if let Record::Sender(sender) = record {
        let rest = (sender.expires, sender.status, &sender.policies);
        told += &format!("{} {:?} {rest:?}", sender.secret_access_key, sender.session_token);
    }
    if let Record::Issuer(issuer) = record {
        told += &issuer.key;
    }
    told
}

#[test]
fn every_kind_of_record_is_read_back_as_it_was_written() {
    for record in records() {
        let mut changes = Changes::new();
        write(&mut changes, &Change::put(record.clone()));
        let change = changes.iter().next().expect("one change");
        assert_eq!(change.table, Table::Registry);
        let value = change.value.expect("it is put");
        let back = read(change.key, value).expect("a record");
        assert_eq!(told(&back), told(&record));
        assert_eq!(back.key(), record.key());
        for end in 0..value.len() {
            assert!(read(change.key, &value[..end]).is_err(), "a part of {record:?}");
        }
        assert!(read(change.key, &[value, &[0]].concat()).is_err());
    }
}

#[test]
fn a_deletion_meets_the_record_and_other_keys_are_none() {
    for record in records() {
        let (mut put, mut deleted) = (Changes::new(), Changes::new());
        write(&mut put, &Change::put(record.clone()));
        write(&mut deleted, &Change::delete(record.key()));
        let key = |changes: &Changes| changes.iter().next().expect("one change").key.to_vec();
        assert_eq!(key(&put), key(&deleted));
    }
    assert!(read(b"", b"").is_err());
    assert!(read(b"x1", &[1]).is_err());
    assert!(read(&[b'p', 0xff], &[1]).is_err());
    assert_eq!(Key::Issuer.name(), "");
}
