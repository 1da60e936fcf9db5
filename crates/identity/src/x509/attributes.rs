//! The certificate variables of policies (spec 6.4).

use std::net::{Ipv4Addr, Ipv6Addr};

use x509_parser::asn1_rs::{Any, Tag};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

use crate::hex;

/// A policy sees that many values of one attribute.
const MAX_VALUES: usize = 5;
/// A value longer than that is not available to policies.
const MAX_VALUE_CHARS: usize = 1024;

/// The members of a name that policies know, with the last arc of their object identifier, which
/// is 2.5.4.x for all of them (X.520).
const NAME_MEMBERS: [(&str, u8); 13] = [
    ("CommonName", 3),
    ("Surname", 4),
    ("SerialNumber", 5),
    ("Country", 6),
    ("State", 8),
    ("Organization", 10),
    ("OrganizationalUnit", 11),
    ("Title", 12),
    ("GivenName", 42),
    ("Initials", 43),
    ("GenerationQualifier", 44),
    ("DistinguishedNameQualifier", 46),
    ("Pseudonym", 65),
];

/// The kinds of alternative name that policies know.
const ALTERNATIVE_NAMES: [&str; 5] =
    ["RFC822Name", "DNSName", "DirectoryName", "UniformResourceIdentifier", "IPAddress"];

/// All attributes that have a value, by the name after `iot:Certificate.`.
pub(super) fn policy_attributes(certificate: &X509Certificate<'_>) -> Vec<(String, Vec<String>)> {
    let mut attributes = Attributes(Vec::new());
    attributes.put_name("Subject", certificate.subject());
    attributes.put_name("Issuer", certificate.issuer());
    let extension = certificate.subject_alternative_name();
    // An extension that cannot be read or occurs twice says nothing that could be relied on.
    if let Ok(Some(extension)) = extension {
        attributes.put_alternative_names(&extension.value.general_names);
    }
    attributes.put("SerialNumber".to_owned(), [Some(serial_number(certificate))]);
    attributes.0
}

/// The serial number in lowercase hexadecimal, without the zero byte that keeps its encoding
/// positive.
pub(super) fn serial_number(certificate: &X509Certificate<'_>) -> String {
    match certificate.raw_serial() {
        [0, rest @ ..] if !rest.is_empty() => hex::encode(rest),
        serial => hex::encode(serial),
    }
}

/// The text of a name's member, if it is of a string type that has one meaning.
pub(super) fn text_of(member: &AttributeTypeAndValue<'_>) -> Option<String> {
    match member.as_str() {
        Ok(text) => Some(text.to_owned()),
        Err(_) => bmp_text(member.attr_value()),
    }
}

/// The text of a BMPString: UTF-16, high byte first.
fn bmp_text(value: &Any<'_>) -> Option<String> {
    if value.tag() != Tag::BmpString || !value.data.len().is_multiple_of(2) {
        return None;
    }
    let units = value.data.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    char::decode_utf16(units).collect::<Result<_, _>>().ok()
}

struct Attributes(Vec<(String, Vec<String>)>);

impl Attributes {
    /// Adds an attribute, unless it has no value or one that policies must not see.
    fn put(&mut self, name: String, values: impl IntoIterator<Item = Option<String>>) {
        let fits = |text: &String| text.chars().nth(MAX_VALUE_CHARS).is_none();
        let values: Option<Vec<String>> =
            values.into_iter().take(MAX_VALUES).map(|value| value.filter(fits)).collect();
        match values {
            Some(values) if !values.is_empty() => self.0.push((name, values)),
            Some(_) | None => {}
        }
    }

    fn put_name(&mut self, whose: &str, name: &X509Name<'_>) {
        for (member, arc) in NAME_MEMBERS {
            let values = name
                .iter_attributes()
                .filter(|member| member.attr_type().as_bytes() == [0x55, 0x04, arc])
                .map(text_of);
            self.put(format!("{whose}.{member}"), values);
        }
    }

    fn put_alternative_names(&mut self, names: &[GeneralName<'_>]) {
        for kind in ALTERNATIVE_NAMES {
            let values = names.iter().filter_map(alternative_name);
            let of_kind = values.filter(|(found, _)| *found == kind).map(|(_, value)| value);
            self.put(format!("AlternativeName.{kind}"), of_kind);
        }
    }
}

/// The kind of an alternative name and its text, if it can be read; `None` for the kinds that
/// policies do not know.
fn alternative_name(name: &GeneralName<'_>) -> Option<(&'static str, Option<String>)> {
    match name {
        GeneralName::RFC822Name(text) => Some(("RFC822Name", Some((*text).to_owned()))),
        GeneralName::DNSName(text) => Some(("DNSName", Some((*text).to_owned()))),
        GeneralName::DirectoryName(name) => Some(("DirectoryName", Some(name.to_string()))),
        GeneralName::URI(text) => Some(("UniformResourceIdentifier", Some((*text).to_owned()))),
        GeneralName::IPAddress(bytes) => Some(("IPAddress", ip_address(bytes))),
        GeneralName::Invalid(tag, _) => Some((kind_of_tag(*tag)?, None)),
        GeneralName::OtherName(..)
        | GeneralName::X400Address(_)
        | GeneralName::EDIPartyName(_)
        | GeneralName::RegisteredID(_) => None,
    }
}

/// The kind of an alternative name by its tag (RFC 5280, section 4.2.1.6).
fn kind_of_tag(tag: Tag) -> Option<&'static str> {
    match tag.0 {
        1 => Some("RFC822Name"),
        2 => Some("DNSName"),
        4 => Some("DirectoryName"),
        6 => Some("UniformResourceIdentifier"),
        7 => Some("IPAddress"),
        _ => None,
    }
}

fn ip_address(bytes: &[u8]) -> Option<String> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(v4).to_string());
    }
    <[u8; 16]>::try_from(bytes).ok().map(|v6| Ipv6Addr::from(v6).to_string())
}
