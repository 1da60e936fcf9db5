//! Why a request was allowed or denied, for people.

use std::fmt;

use crate::action::Action;
use crate::facts::Facts;
use crate::key::Key;
use crate::policy_set::{Decision, PolicySet, Request, StatementRef};
use crate::statement::Effect;

/// A decision and what led to it. [`fmt::Display`] makes it readable.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation<'p> {
    /// What was decided.
    pub decision: Decision<'p>,
    /// What was asked for.
    pub action: Action,
    /// The ARN it was asked for, or `*`.
    pub resource: String,
    /// What variables and conditions saw: each key of the request with its values, but for those
    /// of certificates and of times.
    pub context: Vec<(String, Vec<String>)>,
    /// How many policies were judged.
    pub policies: usize,
    /// For an implicit denial, the statement that came nearest to allowing; `None` if there is
    /// no `Allow` statement, or the denial was explicit.
    pub nearest: Option<NearMiss<'p>>,
}

/// An `Allow` statement that did not apply.
#[derive(Debug, Clone, PartialEq)]
pub struct NearMiss<'p> {
    /// The statement.
    pub statement: StatementRef<'p>,
    /// The parts of it that did not fit; at least one.
    pub failures: Vec<Failure>,
}

/// A part of a statement that does not fit a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The `Action` or `NotAction` element.
    Action {
        /// The element's values.
        expected: Vec<String>,
        /// Whether it is `NotAction`.
        negated: bool,
        /// The action of the request.
        actual: Action,
    },
    /// The `Resource` or `NotResource` element.
    Resource {
        /// The element's values, variables as written.
        expected: Vec<String>,
        /// Whether it is `NotResource`.
        negated: bool,
        /// The ARN of the request's resource, or `*`.
        actual: String,
    },
    /// One key of one condition operator.
    Condition {
        /// The operator as written: `ForAllValues:StringLike`.
        operator: String,
        /// The key as written: `iot:Topic`.
        key: String,
        /// Whether any request has a value for such a key.
        known: bool,
        /// The values given for the key, variables as written.
        expected: Vec<String>,
        /// The request's values; `None` if it has none.
        actual: Option<Vec<String>>,
    },
}

impl<'p> Explanation<'p> {
    pub(crate) fn new(policies: &'p PolicySet, request: &Request<'_>) -> Explanation<'p> {
        let decision = policies.evaluate(request);
        let nearest = match decision {
            Decision::ImplicitDeny => nearest(policies, request),
            Decision::Allowed(_) | Decision::ExplicitDeny(_) => None,
        };
        Explanation {
            decision,
            action: request.action,
            resource: request.scope.arn(request.resource),
            context: context(request),
            policies: policies.len(),
            nearest,
        }
    }
}

/// Keys whose values tell people what was asked.
const TOLD: [&str; 12] = [
    "aws:SourceIp",
    "aws:SecureTransport",
    "aws:userid",
    "iot:ClientId",
    "iot:DomainName",
    "iot:Topic",
    "iot:ConnectAttributes",
    "iot:LastWillTopic",
    "iot:IncludeSocketInformation",
    "iot:Connection.Thing.ThingName",
    "iot:Connection.Thing.ThingTypeName",
    "iot:Connection.Thing.IsAttached",
];

fn context(request: &Request<'_>) -> Vec<(String, Vec<String>)> {
    let facts = Facts::new(request.context, request.scope);
    let attributes = request.context.thing.into_iter().flat_map(|thing| thing.attributes.keys());
    let attributes = attributes.map(|name| format!("iot:Connection.Thing.Attributes[{name}]"));
    TOLD.iter()
        .map(ToString::to_string)
        .chain(attributes)
        .filter_map(|name| {
            let values = Key::parse(&name)?.values(&facts)?.iter().map(str::to_owned).collect();
            Some((name, values))
        })
        .collect()
}

/// The `Allow` statement with the fewest failing parts. Among equals one about the action comes
/// first, being the one its author meant, and then the earlier one.
fn nearest<'p>(policies: &'p PolicySet, request: &Request<'_>) -> Option<NearMiss<'p>> {
    let facts = Facts::new(request.context, request.scope);
    policies
        .statements()
        .filter(|(_, statement)| statement.effect() == Effect::Allow)
        .map(|(place, statement)| NearMiss {
            statement: place,
            failures: statement.failures(request, &facts),
        })
        .min_by_key(|miss| {
            let other_action = matches!(miss.failures.first(), Some(Failure::Action { .. }));
            (miss.failures.len(), other_action)
        })
}

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Explanation { action, resource, .. } = self;
        match &self.decision {
            Decision::Allowed(by) => write!(f, "{action} on {resource} is allowed by {by}"),
            Decision::ExplicitDeny(by) => write!(f, "{action} on {resource} is denied by {by}"),
            Decision::ImplicitDeny => {
                write!(f, "{action} on {resource} is denied: ")?;
                let Some(nearest) = &self.nearest else {
                    return match self.policies {
                        0 => f.write_str("no policy is attached"),
                        _ => f.write_str("no statement allows anything"),
                    };
                };
                write!(f, "no statement allows it; nearest is {}, but ", nearest.statement)?;
                for (position, failure) in nearest.failures.iter().enumerate() {
                    write!(f, "{}{failure}", if position == 0 { "" } else { ", and " })?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for StatementRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "statement {}", self.index)?;
        if let Some(sid) = self.sid {
            write!(f, " ({sid:?})")?;
        }
        write!(f, " of policy {:?}, line {}", self.policy, self.line)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Action { expected, negated, actual } => {
                let element = if *negated { "NotAction" } else { "Action" };
                write!(f, "its {element} {} does not cover {actual}", Choice(expected))
            }
            Failure::Resource { expected, negated, actual } => {
                let element = if *negated { "NotResource" } else { "Resource" };
                write!(f, "its {element} {} does not cover {actual}", Choice(expected))
            }
            Failure::Condition { operator, key, known, expected, actual } => {
                write!(f, "its condition {operator} {key} {} fails: ", Choice(expected))?;
                match actual {
                    Some(values) if values.is_empty() => f.write_str("the request has no values"),
                    Some(values) => write!(f, "the request has {}", Choice(values)),
                    None if *known => f.write_str("the request has no such value"),
                    None => f.write_str("no request has a key of this name"),
                }
            }
        }
    }
}

/// Values one beside the other: `"a"`, or `["a", "b"]`.
struct Choice<'a>(&'a [String]);

impl fmt::Display for Choice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [only] => write!(f, "{only:?}"),
            several => write!(f, "{several:?}"),
        }
    }
}
