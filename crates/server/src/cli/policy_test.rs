//! `tenfour policy test`: may this principal do that, and why.

use std::net::IpAddr;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use engine::directory::{Principal, PrincipalKind, Status};
use policy::{
    Action, Context, Decision, Explanation, Request, Resource, Scope, StatementRef, Target,
};
use serde_json::json;

use super::folder::FolderArgs;
use crate::config::{Config, PrincipalName, closest, list};
use crate::registry::Registry;

/// Exit status for a question that could not be asked.
const USAGE: u8 = 2;

/// Answers whether a principal may do something, and by which statement of which file
///
/// Judges the policies of the registry as the running server would. Exit status 0: allowed,
/// 1: denied, 2: the question or the configuration is wrong.
#[derive(Args, Debug)]
pub struct PolicyTestArgs {
    /// Who: certificates/NAME or senders/NAME
    #[arg(long, value_name = "PRINCIPAL")]
    pub principal: PrincipalName,
    /// Does what: iot:Connect, iot:Publish, iot:Subscribe, iot:Receive, iot:SendDirectMessage …
    #[arg(long, value_name = "ACTION")]
    pub action: Action,
    /// To what: client/ID, topic/NAME, topicfilter/FILTER, thing/NAME, log-group:NAME:*, an ARN, or *
    #[arg(long, value_name = "RESOURCE")]
    pub resource: String,
    /// A context key of the request, such as iot:Topic=commands/reboot; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub context: Vec<String>,
    /// The MQTT client ID of the connection; absent for HTTP
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
    #[command(flatten)]
    pub folder: FolderArgs,
    /// Prints one JSON object
    #[arg(long)]
    pub json: bool,
}

impl PolicyTestArgs {
    /// Runs the command.
    pub fn run(self) -> ExitCode {
        match self.answer() {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(message) => {
                eprintln!("{message}");
                ExitCode::from(USAGE)
            }
        }
    }

    fn answer(&self) -> Result<bool, String> {
        let config = self.folder.load().map_err(|mistakes| mistakes.to_string())?;
        let registry = Registry::open(&config).map_err(|mistakes| mistakes.to_string())?;
        let Some(principal) = registry.principal(&self.principal) else {
            let names: Vec<_> = registry.names().iter().map(ToString::to_string).collect();
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            let advice = match closest(&self.principal.to_string(), &names) {
                Some(name) => format!("did you mean {name}?"),
                None => format!("there is {}", list(&names)),
            };
            return Err(format!("there is no {}; {advice}", self.principal));
        };
        let target = target(&self.resource, &config)?;
        let mut facts = Facts::parse(&self.context)?;
        facts.complete(self, &target);
        let client_id = facts.client_id.as_deref();
        let grants = principal.grants.load();
        let thing = client_id
            .and_then(|client_id| registry.directory().load().thing_of(&grants, client_id));
        let connect_attributes = facts.connect_attributes();
        let context = Context {
            principal_id: Some(&principal.id),
            thing: thing.as_deref(),
            certificate: is_certificate(&principal).then_some(&principal.attributes),
            connect_attributes: connect_attributes.as_deref(),
            ..facts.context()
        };
        let Target { scope, resource } = &target;
        let request =
            Request { action: self.action, resource: *resource, scope, context: &context };
        let grants = principal.grants.load();
        let answer = Answer {
            question: self,
            principal: &principal,
            status: grants.status,
            explanation: grants.policies.explain(&request),
            registry: &registry,
            warnings: facts
                .warnings
                .iter()
                .cloned()
                .chain(mismatch(target.resource, self.action))
                .collect(),
        };
        answer.print();
        Ok(answer.is_allowed())
    }
}

fn is_certificate(principal: &Principal) -> bool {
    principal.kind == PrincipalKind::Certificate
}

/// What an action can be done to.
const KINDS: &str =
    "client/ID, topic/NAME, topicfilter/FILTER, thing/NAME, cert/ID, cacert/ID, policy/NAME";

/// Reads a full ARN or its last part.
fn target<'a>(text: &'a str, config: &Config) -> Result<Target<'a>, String> {
    let Config { region, account, .. } = config;
    let (target, expected) = if text.starts_with("arn:") {
        (Target::of_arn(text), format!("arn:aws:iot:{region}:{account}: and {KINDS}"))
    } else {
        let scope = Scope::new(region, account);
        let target = Resource::parse(text).map(|resource| Target { scope, resource });
        (target, format!("{KINDS}, an ARN or *"))
    };
    target.ok_or_else(|| format!("--resource: expected {expected}, not {text}"))
}

/// A warning when the server never asks for the action on such a resource (spec 6.2).
fn mismatch(resource: Resource<'_>, action: Action) -> Option<String> {
    let kind = match resource {
        Resource::Client(_) => "client",
        Resource::Topic(_) => "topic",
        Resource::TopicFilter(_) => "topicfilter",
        Resource::Thing(_) => "thing",
        Resource::Certificate(_) => "cert",
        Resource::CaCertificate(_) => "cacert",
        Resource::Policy(_) => "policy",
        Resource::LogGroup(_) => "log-group",
        Resource::Any => "*",
    };
    // One that is asked for on any resource is right here, too.
    let right = asked_on(action).unwrap_or(kind);
    (right != kind)
        .then(|| format!("{action} is only ever asked for on `{right}`, not on `{kind}`"))
}

/// The kind of resource that an action is asked for on (spec 6.2 and 11); none if it is on any.
fn asked_on(action: Action) -> Option<&'static str> {
    let kind = match action {
        Action::Connect
        | Action::SendDirectMessage
        | Action::GetConnection
        | Action::DeleteConnection
        | Action::ListSubscriptions => "client",
        Action::Explain => return None,
        Action::Publish | Action::RetainPublish | Action::Receive | Action::GetRetainedMessage => {
            "topic"
        }
        Action::Subscribe => "topicfilter",
        Action::GetThingShadow
        | Action::UpdateThingShadow
        | Action::DeleteThingShadow
        | Action::ListNamedShadowsForThing
        | Action::CreateThing
        | Action::DescribeThing
        | Action::UpdateThing
        | Action::DeleteThing
        | Action::ListThingPrincipals => "thing",
        Action::UpdateCertificate
        | Action::DescribeCertificate
        | Action::DeleteCertificate
        | Action::AttachPolicy
        | Action::DetachPolicy
        | Action::ListAttachedPolicies
        | Action::TestAuthorization => "cert",
        Action::DescribeCACertificate
        | Action::UpdateCACertificate
        | Action::DeleteCACertificate => "cacert",
        Action::CreatePolicy
        | Action::CreatePolicyVersion
        | Action::GetPolicy
        | Action::GetPolicyVersion
        | Action::SetDefaultPolicyVersion
        | Action::ListPolicyVersions
        | Action::DeletePolicy
        | Action::DeletePolicyVersion
        | Action::ListTargetsForPolicy => "policy",
        Action::DescribeLogGroups
        | Action::DescribeLogStreams
        | Action::GetLogEvents
        | Action::FilterLogEvents => "log-group",
        Action::ListRetainedMessages
        | Action::CreateKeysAndCertificate
        | Action::CreateCertificateFromCsr
        | Action::RegisterCertificate
        | Action::RegisterCertificateWithoutCA
        | Action::ListCertificates
        | Action::ListCertificatesByCA
        | Action::RegisterCACertificate
        | Action::ListCACertificates
        | Action::GetRegistrationCode
        | Action::DeleteRegistrationCode
        | Action::ListPolicies
        | Action::ListThings
        | Action::AttachThingPrincipal
        | Action::DetachThingPrincipal
        | Action::ListPrincipalThings
        | Action::DescribeEndpoint
        | Action::SetV2LoggingOptions
        | Action::GetV2LoggingOptions
        | Action::SetV2LoggingLevel
        | Action::DeleteV2LoggingLevel
        | Action::ListV2LoggingLevels => "*",
    };
    Some(kind)
}

/// What the request says beside action and resource.
#[derive(Default)]
struct Facts {
    client_id: Option<String>,
    source_ip: Option<IpAddr>,
    secure_transport: Option<bool>,
    epoch_seconds: Option<i64>,
    domain_name: Option<String>,
    topic: Option<String>,
    connect_attributes: Option<Vec<String>>,
    last_will_topic: Option<String>,
    include_socket_information: Option<bool>,
    warnings: Vec<String>,
}

impl Facts {
    const KEYS: [&str; 9] = [
        "iot:ClientId",
        "iot:Topic",
        "iot:ConnectAttributes",
        "iot:LastWillTopic",
        "iot:DomainName",
        "iot:IncludeSocketInformation",
        "aws:SourceIp",
        "aws:SecureTransport",
        "aws:EpochTime",
    ];

    fn parse(pairs: &[String]) -> Result<Facts, String> {
        let mut facts = Facts::default();
        for pair in pairs {
            let (key, value) = pair.split_once('=').ok_or_else(|| {
                format!("--context: expected KEY=VALUE, such as iot:Topic=a/b, not {pair}")
            })?;
            let known = Facts::KEYS.into_iter().find(|known| known.eq_ignore_ascii_case(key));
            let wrong = |what: &str| format!("--context {key}: expected {what}, not {value}");
            match known {
                Some("iot:ClientId") => facts.client_id = Some(value.to_owned()),
                Some("iot:Topic") => facts.topic = Some(value.to_owned()),
                Some("iot:DomainName") => facts.domain_name = Some(value.to_owned()),
                Some("iot:LastWillTopic") => facts.last_will_topic = Some(value.to_owned()),
                Some("iot:ConnectAttributes") => {
                    let attributes = facts.connect_attributes.get_or_insert_default();
                    attributes.extend(value.split(',').map(str::to_owned));
                }
                Some("iot:IncludeSocketInformation") => {
                    let value = value.parse().map_err(|_| wrong("true or false"))?;
                    facts.include_socket_information = Some(value);
                }
                Some("aws:SourceIp") => {
                    facts.source_ip = Some(value.parse().map_err(|_| wrong("an IP address"))?);
                }
                Some("aws:SecureTransport") => {
                    let value = value.parse().map_err(|_| wrong("true or false"))?;
                    facts.secure_transport = Some(value);
                }
                Some("aws:EpochTime") => {
                    let value = value.parse().map_err(|_| wrong("seconds since 1970"))?;
                    facts.epoch_seconds = Some(value);
                }
                Some(_) | None => {
                    let advice = match closest(key, &Facts::KEYS) {
                        Some(known) => format!("did you mean {known}?"),
                        None => format!("expected {}", list(&Facts::KEYS)),
                    };
                    facts.warnings.push(format!("unknown context key {key} is ignored; {advice}"));
                }
            }
        }
        Ok(facts)
    }

    /// Adds what every request of that kind has.
    fn complete(&mut self, question: &PolicyTestArgs, target: &Target<'_>) {
        if let Some(client_id) = &question.client_id {
            self.client_id = Some(client_id.clone());
        }
        self.secure_transport = self.secure_transport.or(Some(true));
        if self.epoch_seconds.is_none() {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).ok();
            self.epoch_seconds = now.and_then(|now| i64::try_from(now.as_secs()).ok());
        }
        if question.action == Action::Connect {
            self.connect_attributes.get_or_insert_default();
            if let (Resource::Client(client_id), None) = (target.resource, &self.client_id) {
                self.client_id = Some(client_id.to_owned());
            }
        }
    }

    fn connect_attributes(&self) -> Option<Vec<&str>> {
        let attributes = self.connect_attributes.as_ref()?;
        Some(attributes.iter().map(String::as_str).collect())
    }

    fn context(&self) -> Context<'_> {
        Context {
            source_ip: self.source_ip,
            secure_transport: self.secure_transport,
            epoch_seconds: self.epoch_seconds,
            client_id: self.client_id.as_deref(),
            domain_name: self.domain_name.as_deref(),
            topic: self.topic.as_deref(),
            last_will_topic: self.last_will_topic.as_deref(),
            include_socket_information: self.include_socket_information,
            ..Context::default()
        }
    }
}

/// The decision, and what led to it.
struct Answer<'a> {
    question: &'a PolicyTestArgs,
    principal: &'a Principal,
    status: Status,
    explanation: Explanation<'a>,
    registry: &'a Registry,
    warnings: Vec<String>,
}

impl Answer<'_> {
    fn is_allowed(&self) -> bool {
        self.status == Status::Active && self.explanation.decision.is_allowed()
    }

    /// The statement that settled it, or came nearest to.
    fn statement(&self) -> Option<StatementRef<'_>> {
        match self.explanation.decision {
            Decision::Allowed(statement) | Decision::ExplicitDeny(statement) => Some(statement),
            Decision::ImplicitDeny => {
                self.explanation.nearest.as_ref().map(|nearest| nearest.statement)
            }
        }
    }

    /// `FILE:LINE` of that statement.
    fn place(&self) -> Option<String> {
        let statement = self.statement()?;
        let file = self.registry.policy_file(statement.policy);
        Some(format!("{}:{}", file.display(), statement.line))
    }

    const fn status_word(&self) -> &'static str {
        match self.status {
            Status::Active => "ACTIVE",
            Status::Inactive => "INACTIVE",
            Status::Revoked => "REVOKED",
            Status::Expired => "EXPIRED",
        }
    }

    fn print(&self) {
        if self.question.json {
            println!("{}", self.json());
            return;
        }
        for warning in &self.warnings {
            eprintln!("warning: {warning}");
        }
        println!("{}", if self.is_allowed() { "ALLOWED" } else { "DENIED" });
        if self.status != Status::Active {
            let (name, status) = (&self.question.principal, self.status_word());
            println!("{name} is {status}, so it is refused whatever its policies say");
        }
        println!("{}", self.explanation);
        if let Some(place) = self.place() {
            println!("  {place}");
        }
    }

    fn json(&self) -> serde_json::Value {
        let statement = self.statement();
        let failures =
            self.explanation.nearest.as_ref().map(|nearest| {
                nearest.failures.iter().map(ToString::to_string).collect::<Vec<_>>()
            });
        json!({
            "allowed": self.is_allowed(),
            "decision": self.explanation.decision.word(),
            "principal": self.question.principal.to_string(),
            "principalId": &*self.principal.id,
            "status": self.status_word(),
            "action": self.explanation.action.name(),
            "resource": self.explanation.resource,
            "statement": statement.map(|statement| json!({
                "policy": statement.policy,
                "file": self.registry.policy_file(statement.policy),
                "line": statement.line,
                "index": statement.index,
                "sid": statement.sid,
            })),
            "failures": failures,
            "explanation": self.explanation.to_string(),
            "warnings": self.warnings,
        })
    }
}
