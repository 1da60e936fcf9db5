//! The names a policy may ask about, as condition keys and as variables.

use crate::facts::Facts;

/// The longest certificate value that is substituted for a variable, in characters (spec 6.4).
const MAX_CERTIFICATE_VALUE: usize = 1024;
/// How many values of a certificate attribute are seen (spec 6.4).
const MAX_CERTIFICATE_VALUES: usize = 5;
/// What keeps a certificate value from being substituted for a variable (spec 6.4).
const UNSUBSTITUTED: [char; 5] = ['*', '$', '+', '?', '#'];

/// What all keys about the connection's thing begin with, in lower case.
pub(crate) const THING_KEYS: &str = "iot:connection.thing.";

/// Something that a request may have a value for. Names are read in any letter case, as in IAM;
/// only the names of thing attributes keep theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    SourceIp,
    SecureTransport,
    CurrentTime,
    EpochTime,
    PrincipalId,
    ClientId,
    DomainName,
    Topic,
    ConnectAttributes,
    LastWillTopic,
    IncludeSocketInformation,
    ThingName,
    ThingTypeName,
    ThingIsAttached,
    ThingAttribute(Box<str>),
    /// One value of a certificate attribute, by its position.
    Certificate(Box<str>, usize),
    /// All values of a certificate attribute.
    CertificateList(Box<str>),
}

impl Key {
    /// The key called `name`, or `None` for one that no request has a value for.
    pub(crate) fn parse(name: &str) -> Option<Key> {
        let lower = name.to_ascii_lowercase();
        let key = match lower.as_str() {
            "aws:sourceip" => Key::SourceIp,
            "aws:securetransport" => Key::SecureTransport,
            "aws:currenttime" => Key::CurrentTime,
            "aws:epochtime" => Key::EpochTime,
            "aws:userid" | "aws:username" => Key::PrincipalId,
            "iot:clientid" => Key::ClientId,
            "iot:domainname" => Key::DomainName,
            "iot:topic" => Key::Topic,
            "iot:connectattributes" => Key::ConnectAttributes,
            "iot:lastwilltopic" => Key::LastWillTopic,
            "iot:includesocketinformation" => Key::IncludeSocketInformation,
            "iot:connection.thing.thingname" => Key::ThingName,
            "iot:connection.thing.thingtypename" => Key::ThingTypeName,
            "iot:connection.thing.isattached" => Key::ThingIsAttached,
            _ => return Key::thing_attribute(name).or_else(|| Key::certificate(name)),
        };
        Some(key)
    }

    /// `iot:Connection.Thing.Attributes[<name>]`.
    fn thing_attribute(name: &str) -> Option<Key> {
        let rest = strip_prefix_ignoring_case(name, "iot:Connection.Thing.Attributes[")?;
        Some(Key::ThingAttribute(rest.strip_suffix(']')?.into()))
    }

    /// `iot:Certificate.<attribute>`, with `.<position>` or `.List` after it. A position is
    /// counted from zero: `.1` is the second value (spec 6.4).
    fn certificate(name: &str) -> Option<Key> {
        let attribute = strip_prefix_ignoring_case(name, "iot:Certificate.")?;
        let Some((stem, last)) = attribute.rsplit_once('.') else {
            return Some(Key::Certificate(attribute.into(), 0));
        };
        if last.eq_ignore_ascii_case("List") {
            return Some(Key::CertificateList(stem.into()));
        }
        match last.parse() {
            Ok(position) => Some(Key::Certificate(stem.into(), position)),
            Err(_) => Some(Key::Certificate(attribute.into(), 0)),
        }
    }

    /// Whether the key asks about the connection's thing. An element with such a variable that
    /// does not resolve makes its statement not match (spec 6.4).
    pub(crate) fn is_of_thing(&self) -> bool {
        matches!(
            self,
            Key::ThingName | Key::ThingTypeName | Key::ThingIsAttached | Key::ThingAttribute(_)
        )
    }

    /// What a variable of this name stands for. Never the empty string: that would widen a
    /// pattern like `devices/${...}*` to everybody's devices.
    pub(crate) fn substitute<'f>(&self, facts: &'f Facts<'_>) -> Option<&'f str> {
        let text = match self {
            // Several values have no single text; they can be asked for in a condition only.
            Key::ConnectAttributes | Key::CertificateList(_) => None,
            Key::Certificate(..) => self.values(facts)?.first().filter(|value| {
                value.chars().count() <= MAX_CERTIFICATE_VALUE && !value.contains(UNSUBSTITUTED)
            }),
            Key::SourceIp
            | Key::SecureTransport
            | Key::CurrentTime
            | Key::EpochTime
            | Key::PrincipalId
            | Key::ClientId
            | Key::DomainName
            | Key::Topic
            | Key::LastWillTopic
            | Key::IncludeSocketInformation
            | Key::ThingName
            | Key::ThingTypeName
            | Key::ThingIsAttached
            | Key::ThingAttribute(_) => self.values(facts)?.first(),
        };
        text.filter(|text| !text.is_empty())
    }

    /// The values a condition on this key compares; `None` if the request has none.
    pub(crate) fn values<'f>(&self, facts: &'f Facts<'_>) -> Option<Values<'f>> {
        let context = facts.context();
        let thing = context.thing;
        let one = match self {
            Key::SourceIp => facts.source_ip(),
            Key::SecureTransport => context.secure_transport.map(truth),
            Key::CurrentTime => facts.current_time(),
            Key::EpochTime => facts.epoch_time(),
            Key::PrincipalId => context.principal_id,
            Key::ClientId => context.client_id,
            Key::DomainName => context.domain_name,
            Key::Topic => context.topic,
            Key::ConnectAttributes => return context.connect_attributes.map(Values::Several),
            Key::LastWillTopic => facts.last_will_topic(),
            Key::IncludeSocketInformation => context.include_socket_information.map(truth),
            Key::ThingName => thing.map(|thing| thing.name.as_str()),
            Key::ThingTypeName => thing.and_then(|thing| thing.type_name.as_deref()),
            Key::ThingIsAttached => thing.map(|thing| truth(thing.attached)),
            Key::ThingAttribute(name) => {
                thing.and_then(|thing| thing.attributes.get(&**name)).map(String::as_str)
            }
            Key::Certificate(name, position) => {
                let values = context.certificate?.get(name)?;
                values.iter().take(MAX_CERTIFICATE_VALUES).nth(*position).map(String::as_str)
            }
            Key::CertificateList(name) => {
                let values = context.certificate?.get(name)?;
                return Some(Values::List(&values[..values.len().min(MAX_CERTIFICATE_VALUES)]));
            }
        };
        one.map(Values::One)
    }
}

/// The values of a key in one request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Values<'f> {
    One(&'f str),
    Several(&'f [&'f str]),
    List(&'f [String]),
}

impl<'f> Values<'f> {
    pub(crate) fn len(self) -> usize {
        match self {
            Values::One(_) => 1,
            Values::Several(values) => values.len(),
            Values::List(values) => values.len(),
        }
    }

    pub(crate) fn get(self, position: usize) -> Option<&'f str> {
        match self {
            Values::One(value) => (position == 0).then_some(value),
            Values::Several(values) => values.get(position).copied(),
            Values::List(values) => values.get(position).map(String::as_str),
        }
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = &'f str> {
        (0..self.len()).filter_map(move |position| self.get(position))
    }

    fn first(self) -> Option<&'f str> {
        self.get(0)
    }
}

fn truth(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

fn strip_prefix_ignoring_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}
