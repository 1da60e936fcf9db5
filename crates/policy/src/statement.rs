//! One statement, compiled.

use crate::action::{Action, ActionSet};
use crate::arn::ResourcePattern;
use crate::condition::Test;
use crate::explanation::Failure;
use crate::facts::Facts;
use crate::key::THING_KEYS;
use crate::resource::{Resource, Scope};
use crate::screen::Screen;

/// What a statement does where it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Grants, unless another statement denies.
    Allow,
    /// Denies, whatever other statements grant.
    Deny,
}

/// A statement of a [`Document`](crate::Document).
#[derive(Debug)]
pub struct Statement {
    pub(crate) sid: Option<Box<str>>,
    pub(crate) line: usize,
    pub(crate) effect: Effect,
    pub(crate) actions: Actions,
    pub(crate) resources: Resources,
    pub(crate) conditions: Box<[Test]>,
}

/// The `Action` or `NotAction` element.
#[derive(Debug)]
pub(crate) struct Actions {
    /// What the element covers, the negation of `NotAction` worked in.
    pub covered: ActionSet,
    pub negated: bool,
    pub text: Box<[Box<str>]>,
}

/// The `Resource` or `NotResource` element.
#[derive(Debug)]
pub(crate) struct Resources {
    pub patterns: Box<[ResourcePattern]>,
    pub negated: bool,
    pub text: Box<[Box<str>]>,
}

impl Resources {
    /// The screens of the element's values. What `NotResource` covers has no common start.
    pub(crate) fn screens(&self) -> impl Iterator<Item = Screen> {
        let exceptions = self.negated.then_some(Screen::OPEN);
        let patterns = if self.negated { &[] } else { &*self.patterns };
        exceptions.into_iter().chain(patterns.iter().filter_map(Screen::of))
    }

    #[inline]
    fn cover(&self, resource: Resource<'_>, scope: &Scope, facts: &Facts<'_>) -> bool {
        let mut patterns = self.patterns.iter();
        if !self.negated {
            return patterns.any(|pattern| pattern.matches(resource, scope, facts));
        }
        // A variable about the thing that has no value makes the statement not match; it must
        // not widen what is left over after the exceptions (spec 6.4).
        patterns.all(|pattern| pattern.resolves(facts) && !pattern.matches(resource, scope, facts))
    }
}

impl Statement {
    /// The `Sid` element.
    pub fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    /// The line that the statement begins in, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Whether the statement allows or denies.
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// Whether its resources or conditions may ask for the thing: in doubt they do.
    pub(crate) fn asks_of_thing(&self) -> bool {
        let keys = self.conditions.iter().map(|test| &test.key_text);
        let expected = self.conditions.iter().flat_map(|test| &test.expected_text);
        let mut texts = self.resources.text.iter().chain(keys).chain(expected);
        texts.any(|text| text.to_ascii_lowercase().contains(THING_KEYS))
    }

    /// The data-plane actions that the statement is about.
    pub fn actions(&self) -> impl Iterator<Item = Action> + '_ {
        Action::ALL.into_iter().filter(|action| self.actions.covered.contains(*action))
    }

    /// Whether resource and conditions fit; the action is known to.
    // A call of its own leaves the scan of the entries, which seldom comes here, its registers.
    #[inline(never)]
    pub(crate) fn applies(&self, resource: Resource<'_>, scope: &Scope, facts: &Facts<'_>) -> bool {
        self.resources.cover(resource, scope, facts)
            && self.conditions.iter().all(|test| test.holds(facts))
    }

    /// Each part of the statement that does not fit the request.
    pub(crate) fn failures(&self, request: &crate::Request<'_>, facts: &Facts<'_>) -> Vec<Failure> {
        let mut failures = Vec::new();
        if !self.actions.covered.contains(request.action) {
            failures.push(Failure::Action {
                expected: texts(&self.actions.text),
                negated: self.actions.negated,
                actual: request.action,
            });
        }
        if !self.resources.cover(request.resource, request.scope, facts) {
            failures.push(Failure::Resource {
                expected: texts(&self.resources.text),
                negated: self.resources.negated,
                actual: request.scope.arn(request.resource),
            });
        }
        let failed = self.conditions.iter().filter(|test| !test.holds(facts));
        failures.extend(failed.map(|test| test.failure(facts)));
        failures
    }
}

fn texts(texts: &[Box<str>]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}
