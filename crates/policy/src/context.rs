//! What is known about the caller and the call: what variables and conditions may ask.

use std::collections::BTreeMap;
use std::net::IpAddr;

/// What a statement's variables and conditions may ask about a request.
///
/// What is `None` is absent to a condition and unresolvable to a variable (spec 6.4, 6.5).
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// `aws:SourceIp`: the address the request came from.
    pub source_ip: Option<IpAddr>,
    /// `aws:SecureTransport`: whether it came over TLS.
    pub secure_transport: Option<bool>,
    /// `aws:CurrentTime` and `aws:EpochTime`: seconds since 1970-01-01T00:00:00Z.
    pub epoch_seconds: Option<i64>,
    /// `aws:userid` and `aws:username`: who the caller proved to be.
    pub principal_id: Option<&'a str>,
    /// `iot:ClientId`: the MQTT client ID; absent over HTTP.
    pub client_id: Option<&'a str>,
    /// `iot:DomainName`: the name the caller connected to.
    pub domain_name: Option<&'a str>,
    /// `iot:Connection.Thing.*`: the connection's thing; absent over HTTP.
    pub thing: Option<&'a Thing>,
    /// `iot:Certificate.*`: the attributes of the client certificate.
    pub certificate: Option<&'a Attributes>,
    /// `iot:Topic`: the topic of a direct message.
    pub topic: Option<&'a str>,
    /// `iot:ConnectAttributes`: `PersistentConnect` and `LastWill` as they apply. `Some` only
    /// for [`Action::Connect`](crate::Action::Connect), where the set may be empty.
    pub connect_attributes: Option<&'a [&'a str]>,
    /// `iot:LastWillTopic`: the will's topic name; conditions see its ARN.
    pub last_will_topic: Option<&'a str>,
    /// `iot:IncludeSocketInformation`: whether GetConnection was asked for socket details.
    pub include_socket_information: Option<bool>,
}

/// The thing that a connection acts for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Thing {
    /// `iot:Connection.Thing.ThingName`.
    pub name: String,
    /// `iot:Connection.Thing.ThingTypeName`.
    pub type_name: Option<String>,
    /// `iot:Connection.Thing.Attributes[name]`.
    pub attributes: BTreeMap<String, String>,
    /// `iot:Connection.Thing.IsAttached`: whether the thing is attached to the principal.
    pub attached: bool,
}

/// The attributes of a certificate by the name that follows `iot:Certificate.`:
/// `Subject.CommonName`, `Issuer.Organization`, `SerialNumber`. Each may have several values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attributes(Vec<(String, Vec<String>)>);

impl Attributes {
    /// The values of `name`, in certificate order; as in IAM, letter case does not matter.
    pub fn get(&self, name: &str) -> Option<&[String]> {
        let (_, values) = self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(values)
    }
}

impl FromIterator<(String, Vec<String>)> for Attributes {
    /// Values given under a name that is already there are added to it.
    fn from_iter<I: IntoIterator<Item = (String, Vec<String>)>>(pairs: I) -> Attributes {
        let mut attributes: Vec<(String, Vec<String>)> = Vec::new();
        for (name, values) in pairs {
            let known = attributes.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(&name));
            match known {
                Some((_, earlier)) => earlier.extend(values),
                None => attributes.push((name, values)),
            }
        }
        Attributes(attributes)
    }
}
