//! What policies ask about a request that says nothing of it.

use std::collections::BTreeSet;

use crate::action::Action;
use crate::facts::Facts;
use crate::pattern::{Token, Wildcards, tokens};
use crate::policy_set::PolicySet;
use crate::statement::Statement;

/// The names of the values that statements about the action ask for, as variables without a default or
/// as condition keys, and that a request does not have.
pub(crate) fn missing_values(
    policies: &PolicySet,
    action: Action,
    facts: &Facts<'_>,
) -> BTreeSet<String> {
    let asked = policies.statements().map(|(_, statement)| statement);
    let asked = asked.filter(|statement| statement.actions.covered.contains(action));
    asked.flat_map(|statement| missing_of(statement, facts)).collect()
}

fn missing_of(statement: &Statement, facts: &Facts<'_>) -> Vec<String> {
    let mut missing = Vec::new();
    let expected = statement.conditions.iter().flat_map(|test| &test.expected_text);
    for text in statement.resources.text.iter().chain(expected) {
        // What was compiled is read without an error.
        for token in tokens(text, Wildcards::Active).into_iter().flatten() {
            if let Token::Variable(variable) = token {
                missing.extend(variable.unresolved(facts).map(str::to_owned));
            }
        }
    }
    let without = statement.conditions.iter().filter(|test| test.is_unanswered(facts));
    missing.extend(without.map(|test| test.key_text.to_string()));
    missing
}
