//! What a request acts on, and where: ARNs without building them.

/// What a request acts on (spec 6.2). The text is the bare name, not an ARN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource<'a> {
    /// `client/<client ID>`.
    Client(&'a str),
    /// `topic/<topic name>`.
    Topic(&'a str),
    /// `topicfilter/<topic filter>`.
    TopicFilter(&'a str),
    /// `thing/<thing name>` or `thing/<thing name>/<shadow name>`.
    Thing(&'a str),
    /// `cert/<certificate ID>`.
    Certificate(&'a str),
    /// `cacert/<certificate ID>`.
    CaCertificate(&'a str),
    /// `policy/<policy name>`.
    Policy(&'a str),
    /// `log-group:<name>:*`, or `log-group:<name>:log-stream:<name>`: what follows `log-group:`. Its
    /// service is `logs`.
    LogGroup(&'a str),
    /// No resource of its own: only a statement whose resource is `*` covers it.
    Any,
}

impl<'a> Resource<'a> {
    /// Reads the last field of an ARN, such as `topic/lamps`, or `*`.
    pub fn parse(text: &'a str) -> Option<Resource<'a>> {
        let named = |kind: Kind| Some((kind, text.strip_prefix(kind.prefix())?));
        Some(match Kind::ALL.into_iter().find_map(named) {
            Some((Kind::Client, name)) => Resource::Client(name),
            Some((Kind::Topic, name)) => Resource::Topic(name),
            Some((Kind::TopicFilter, name)) => Resource::TopicFilter(name),
            Some((Kind::Thing, name)) => Resource::Thing(name),
            Some((Kind::Certificate, name)) => Resource::Certificate(name),
            Some((Kind::CaCertificate, name)) => Resource::CaCertificate(name),
            Some((Kind::Policy, name)) => Resource::Policy(name),
            Some((Kind::LogGroup, name)) => Resource::LogGroup(name),
            None if text == "*" => Resource::Any,
            None => return None,
        })
    }

    /// Kind and name; `None` for [`Resource::Any`].
    pub(crate) fn named(self) -> Option<(Kind, &'a str)> {
        match self {
            Resource::Client(name) => Some((Kind::Client, name)),
            Resource::Topic(name) => Some((Kind::Topic, name)),
            Resource::TopicFilter(name) => Some((Kind::TopicFilter, name)),
            Resource::Thing(name) => Some((Kind::Thing, name)),
            Resource::Certificate(name) => Some((Kind::Certificate, name)),
            Resource::CaCertificate(name) => Some((Kind::CaCertificate, name)),
            Resource::Policy(name) => Some((Kind::Policy, name)),
            Resource::LogGroup(name) => Some((Kind::LogGroup, name)),
            Resource::Any => None,
        }
    }
}

/// The resource types of the data plane, those that its control plane has besides, and that of
/// its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Client,
    Topic,
    TopicFilter,
    Thing,
    Certificate,
    CaCertificate,
    Policy,
    LogGroup,
}

impl Kind {
    pub(crate) const ALL: [Kind; 8] = [
        Kind::Client,
        Kind::Topic,
        Kind::TopicFilter,
        Kind::Thing,
        Kind::Certificate,
        Kind::CaCertificate,
        Kind::Policy,
        Kind::LogGroup,
    ];

    /// What stands before the name in an ARN's last field.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Kind::Client => "client/",
            Kind::Topic => "topic/",
            Kind::TopicFilter => "topicfilter/",
            Kind::Thing => "thing/",
            Kind::Certificate => "cert/",
            Kind::CaCertificate => "cacert/",
            Kind::Policy => "policy/",
            Kind::LogGroup => "log-group:",
        }
    }

    /// Whether it is one of the service `logs`; all others are of `iot`.
    #[inline]
    fn is_of_logs(self) -> bool {
        self == Kind::LogGroup
    }
}

/// What an ARN of `arn:aws:iot:` or `arn:aws:logs:` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target<'a> {
    /// Its region and account.
    pub scope: Scope,
    /// What it is.
    pub resource: Resource<'a>,
}

impl<'a> Target<'a> {
    /// Reads an ARN; none for a text that is not the ARN of anything here.
    pub fn of_arn(arn: &'a str) -> Option<Target<'a>> {
        let fields: Vec<_> = arn.strip_prefix("arn:")?.splitn(5, ':').collect();
        let ["aws", service, region, account, last] = fields[..] else { return None };
        let resource = Resource::parse(last)?;
        let is_of_logs = matches!(resource, Resource::LogGroup(_));
        let right = if is_of_logs { "logs" } else { "iot" };
        (service == right && resource != Resource::Any)
            .then(|| Target { scope: Scope::new(region, account), resource })
    }
}

/// The region and account whose resources are judged, in the partition `aws`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// `arn:aws:iot:<region>:<account>:`.
    prefix: String,
    /// Where the region ends in `prefix`; the account runs from there + 1 to the last byte.
    region_end: usize,
    /// `arn:aws:logs:<region>:<account>:`.
    logs_prefix: String,
}

impl Scope {
    const SERVICE: &'static str = "arn:aws:iot:";

    /// The scope of `region` (`us-west-2`) and `account` (`123456789012`).
    ///
    /// Neither may hold a `:`; one that does matches no literal ARN.
    pub fn new(region: &str, account: &str) -> Scope {
        let prefix = format!("{}{region}:{account}:", Scope::SERVICE);
        let logs_prefix = format!("arn:aws:logs:{region}:{account}:");
        Scope { prefix, region_end: Scope::SERVICE.len() + region.len(), logs_prefix }
    }

    /// The ARN of `resource` in this scope; `*` for [`Resource::Any`].
    pub fn arn(&self, resource: Resource<'_>) -> String {
        match resource.named() {
            None => "*".to_owned(),
            Some((kind, name)) => [self.prefix(kind), kind.prefix(), name].concat(),
        }
    }

    /// What stands before the last field: `arn:aws:iot:<region>:<account>:`.
    #[inline]
    pub(crate) fn prefix(&self, kind: Kind) -> &str {
        if kind.is_of_logs() { &self.logs_prefix } else { &self.prefix }
    }

    /// Partition, service, region and account.
    pub(crate) fn fields(&self, kind: Kind) -> [&str; 4] {
        let service = if kind.is_of_logs() { "logs" } else { "iot" };
        ["aws", service, self.region(), self.account()]
    }

    /// The region.
    pub fn region(&self) -> &str {
        &self.prefix[Scope::SERVICE.len()..self.region_end]
    }

    /// The account.
    pub fn account(&self) -> &str {
        &self.prefix[self.region_end + 1..self.prefix.len() - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_names_what_it_was_spelt_from() {
        let scope = Scope::new("eu-west-1", "210987654321");
        for resource in [
            Resource::Client("a:b"),
            Resource::Topic("a/b:c"),
            Resource::TopicFilter("+/#"),
            Resource::Thing("t"),
            Resource::Certificate("0a"),
            Resource::CaCertificate("0b"),
            Resource::Policy("p"),
            Resource::LogGroup("g:*"),
        ] {
            let arn = scope.arn(resource);
            let target = Target { scope: scope.clone(), resource };
            assert_eq!(Target::of_arn(&arn), Some(target), "{arn}");
        }
        for other in [
            "*",
            "",
            "arn:aws:iot:r:a:*",
            "arn:aws:iot:r:a:nothing/x",
            "arn:aws:logs:r:a:topic/x",
            "arn:aws:iot:r:a:log-group:x",
            "arn:aws-cn:iot:r:a:topic/x",
            "arn:aws:iot:r:topic/x",
        ] {
            assert_eq!(Target::of_arn(other), None, "{other}");
        }
    }

    #[test]
    fn a_scope_spells_arns_and_gives_back_its_fields() {
        let scope = Scope::new("us-west-2", "123456789012");
        assert_eq!(scope.arn(Resource::Client("a")), "arn:aws:iot:us-west-2:123456789012:client/a");
        assert_eq!(
            scope.arn(Resource::TopicFilter("a/#")),
            "arn:aws:iot:us-west-2:123456789012:topicfilter/a/#"
        );
        assert_eq!(scope.arn(Resource::Any), "*");
        assert_eq!(scope.fields(Kind::Thing), ["aws", "iot", "us-west-2", "123456789012"]);
        assert_eq!(scope.fields(Kind::LogGroup), ["aws", "logs", "us-west-2", "123456789012"]);
        assert_eq!(
            scope.arn(Resource::LogGroup("AWSIotLogsV2:*")),
            "arn:aws:logs:us-west-2:123456789012:log-group:AWSIotLogsV2:*"
        );
    }
}
