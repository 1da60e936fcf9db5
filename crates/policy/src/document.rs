//! A policy document, compiled.

use crate::action::Action;
use crate::error::ParseErrors;
use crate::grammar;
use crate::screen::{Screen, View};
use crate::statement::{Effect, Statement};

/// A policy document, compiled for evaluation. Immutable; share it in an `Arc`.
#[derive(Debug)]
pub struct Document {
    statements: Box<[Statement]>,
    /// One for each resource of each statement, grouped by action and effect. A decision reads
    /// one group from end to end and fetches only statements whose screens let it pass.
    entries: Box<[Entry]>,
    /// Where the groups begin: two for each action in [`Action::ALL`] order, denials first, and
    /// the end.
    groups: [u32; 2 * Action::ALL.len() + 1],
    asks_of_thing: bool,
}

/// A statement that may apply to what its screen admits.
#[derive(Debug, Clone, Copy)]
struct Entry {
    screen: Screen,
    /// Its position in the document.
    statement: u32,
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
        let mut entries = Vec::new();
        let mut groups = [0; 2 * Action::ALL.len() + 1];
        for action in Action::ALL {
            for effect in [Effect::Deny, Effect::Allow] {
                groups[group(action, effect)] = length(&entries);
                for (position, statement) in (0..).zip(&statements) {
                    if statement.actions.covered.contains(action) && statement.effect == effect {
                        let screens = statement.resources.screens();
                        entries.extend(screens.map(|screen| Entry { screen, statement: position }));
                    }
                }
            }
        }
        groups[2 * Action::ALL.len()] = length(&entries);
        let asks_of_thing = statements.iter().any(Statement::asks_of_thing);
        Document { statements: statements.into(), entries: entries.into(), groups, asks_of_thing }
    }

    /// Whether a variable or a condition may ask for `iot:Connection.Thing.*`.
    pub(crate) fn asks_of_thing(&self) -> bool {
        self.asks_of_thing
    }

    /// The first statement of one effect about `action` of which `applies` says so, with its
    /// position. It is asked only of those that may cover the resource in view.
    #[inline]
    pub(crate) fn first(
        &self,
        (action, effect): (Action, Effect),
        view: &View<'_>,
        applies: impl Fn(&Statement) -> bool,
    ) -> Option<(usize, &Statement)> {
        let group = group(action, effect);
        let (start, end) = (self.groups[group] as usize, self.groups[group + 1] as usize);
        let entries = &self.entries[start..end];
        let statement = |entry: &Entry| &self.statements[entry.statement as usize];
        let mut entries = entries.iter();
        let entry = entries.find(|e| e.screen.admits(view) && applies(statement(e)))?;
        Some((entry.statement as usize, statement(entry)))
    }
}

/// A document of 64 KiB has fewer entries than a `u32` counts.
fn length(entries: &[Entry]) -> u32 {
    u32::try_from(entries.len()).expect("a document is bounded")
}

/// The position of a group in [`Document::groups`].
#[inline]
fn group(action: Action, effect: Effect) -> usize {
    2 * action.index()
        + match effect {
            Effect::Deny => 0,
            Effect::Allow => 1,
        }
}
