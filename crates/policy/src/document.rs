//! A policy document, compiled.

use crate::action::Action;
use crate::error::ParseErrors;
use crate::grammar;
use crate::statement::{Effect, Statement};

/// A policy document, compiled for evaluation. Immutable; share it in an `Arc`.
#[derive(Debug)]
pub struct Document {
    statements: Box<[Statement]>,
    /// Positions in `statements`, grouped by action and effect.
    by_action: Box<[usize]>,
    /// Where the groups begin: two for each action in [`Action::ALL`] order, denials first, and
    /// the end.
    groups: [usize; 2 * Action::ALL.len() + 1],
}

impl Document {
    /// Parses and compiles a policy document.
    ///
    /// # Errors
    ///
    /// Every mistake of the document with its line, column and path. A text that is not JSON,
    /// or is longer than 64 KiB, gives that one mistake only.
    pub fn parse(json: &str) -> Result<Document, ParseErrors> {
        grammar::read(json).map(Document::compile)
    }

    /// The statements in document order.
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    fn compile(statements: Vec<Statement>) -> Document {
        let mut by_action = Vec::new();
        let mut groups = [0; 2 * Action::ALL.len() + 1];
        for action in Action::ALL {
            for (offset, effect) in [(0, Effect::Deny), (1, Effect::Allow)] {
                groups[2 * action.index() + offset] = by_action.len();
                by_action.extend(statements.iter().enumerate().filter_map(|(index, statement)| {
                    let about = statement.actions.covered.contains(action);
                    (about && statement.effect == effect).then_some(index)
                }));
            }
        }
        groups[2 * Action::ALL.len()] = by_action.len();
        Document { statements: statements.into(), by_action: by_action.into(), groups }
    }

    /// The statements of one effect about `action`, with their positions, in document order.
    #[inline]
    pub(crate) fn about(
        &self,
        action: Action,
        effect: Effect,
    ) -> impl Iterator<Item = (usize, &Statement)> {
        let group = 2 * action.index()
            + match effect {
                Effect::Deny => 0,
                Effect::Allow => 1,
            };
        let positions = &self.by_action[self.groups[group]..self.groups[group + 1]];
        positions.iter().map(|&index| (index, &self.statements[index]))
    }
}
