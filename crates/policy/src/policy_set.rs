//! The policies of a principal, and the decision they come to.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::action::Action;
use crate::context::Context;
use crate::document::Document;
use crate::explanation::Explanation;
use crate::facts::Facts;
use crate::missing::missing_values;
use crate::resource::{Resource, Scope};
use crate::screen::View;
use crate::statement::{Effect, Statement};

/// The policies attached to one principal.
#[derive(Debug, Clone, Default)]
pub struct PolicySet {
    policies: Vec<(String, Arc<Document>)>,
    asks_of_thing: bool,
}

/// What is asked of a [`PolicySet`].
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// What the principal wants to do.
    pub action: Action,
    /// What it wants to do it to.
    pub resource: Resource<'a>,
    /// The region and account of the resource.
    pub scope: &'a Scope,
    /// What variables and conditions may ask.
    pub context: &'a Context<'a>,
}

/// What a [`PolicySet`] decides: deny unless a statement allows and none denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision<'p> {
    /// This statement allows and none denies.
    Allowed(StatementRef<'p>),
    /// This statement denies.
    ExplicitDeny(StatementRef<'p>),
    /// No statement applies.
    ImplicitDeny,
}

impl Decision<'_> {
    /// Whether the request may go ahead.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Decision::Allowed(_))
    }

    /// The word for programs: `allowed`, `explicitDeny` or `implicitDeny`.
    pub fn word(&self) -> &'static str {
        match self {
            Decision::Allowed(_) => "allowed",
            Decision::ExplicitDeny(_) => "explicitDeny",
            Decision::ImplicitDeny => "implicitDeny",
        }
    }
}

/// Where a statement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatementRef<'p> {
    /// The name of the policy.
    pub policy: &'p str,
    /// The position in its `Statement` array, from 0.
    pub index: usize,
    /// The statement's `Sid`, if it has one.
    pub sid: Option<&'p str>,
    /// The line of the document that the statement begins in, from 1.
    pub line: usize,
}

/// Everything allowed, for a server run without access control.
const OPEN: &str = r#"{
    "Version": "2012-10-17",
    "Statement": { "Effect": "Allow", "Action": "*", "Resource": "*" }
}"#;

impl PolicySet {
    /// The set of `policies`, each a name and its document.
    pub fn new(policies: Vec<(String, Arc<Document>)>) -> PolicySet {
        let asks_of_thing = policies.iter().any(|(_, document)| document.asks_of_thing());
        PolicySet { policies, asks_of_thing }
    }

    /// Whether a decision may depend on [`Context::thing`]; if not, nobody needs to look for it.
    #[inline]
    pub fn asks_of_thing(&self) -> bool {
        self.asks_of_thing
    }

    /// A set of one policy called `open`, which allows everything.
    pub fn allow_all() -> PolicySet {
        let open = Document::parse(OPEN).expect("a constant that a test parses");
        PolicySet::new(vec![("open".to_owned(), Arc::new(open))])
    }

    /// Decides `request`: any applicable denial wins over every grant.
    ///
    /// Reports the first statement, in attachment and document order, that settles it.
    pub fn evaluate<'p>(&'p self, request: &Request<'_>) -> Decision<'p> {
        let facts = Facts::new(request.context, request.scope);
        let view = View::of(request.resource);
        let first = |effect| {
            let applies = |s: &Statement| s.applies(request.resource, request.scope, &facts);
            self.policies.iter().find_map(|(name, document)| {
                let found = document.first((request.action, effect), &view, applies);
                found.map(|(index, statement)| StatementRef::new(name, index, statement))
            })
        };
        if let Some(denying) = first(Effect::Deny) {
            return Decision::ExplicitDeny(denying);
        }
        first(Effect::Allow).map_or(Decision::ImplicitDeny, Decision::Allowed)
    }

    /// Decides `request` like [`PolicySet::evaluate`], and for an implicit denial says which
    /// statement came nearest to allowing it. Slow: for people who read denials.
    pub fn explain<'p>(&'p self, request: &Request<'_>) -> Explanation<'p> {
        Explanation::new(self, request)
    }

    /// What statements about the action ask for that the context does not have, by the names that the
    /// policies use: `iot:ClientId`. Slow: for people who test policies.
    pub fn missing_values(
        &self,
        action: Action,
        scope: &Scope,
        context: &Context<'_>,
    ) -> BTreeSet<String> {
        missing_values(self, action, &Facts::new(context, scope))
    }

    /// Every statement of every policy.
    pub(crate) fn statements(&self) -> impl Iterator<Item = (StatementRef<'_>, &Statement)> {
        self.policies.iter().flat_map(|(name, document)| {
            let statements = document.statements().iter().enumerate();
            statements.map(move |(index, s)| (StatementRef::new(name, index, s), s))
        })
    }

    /// How many policies are attached.
    pub(crate) fn len(&self) -> usize {
        self.policies.len()
    }
}

impl<'p> StatementRef<'p> {
    fn new(policy: &'p str, index: usize, statement: &'p Statement) -> StatementRef<'p> {
        StatementRef { policy, index, sid: statement.sid(), line: statement.line() }
    }
}
