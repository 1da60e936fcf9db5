//! The grammar of policy documents: from JSON to statements.
//!
//! Reads on after a mistake, so that a document's author sees all of them at once.

use std::collections::HashMap;

use crate::action::ActionSet;
use crate::arn::ResourcePattern;
use crate::condition::{Operator, Test};
use crate::element::{Element, KnownMembers};
use crate::error::{Mistakes, ParseErrors};
use crate::json::{self, Member, Place};
use crate::statement::{Actions, Effect, Resources, Statement};

/// The longest document, in bytes. AWS stops at 2048 characters without white space for IoT
/// policies and 6144 for IAM policies (spec 6.1).
const MAX_BYTES: usize = 64 * 1024;

/// The version whose documents may hold variables.
const CURRENT_VERSION: &str = "2012-10-17";
const OLD_VERSION: &str = "2008-10-17";

const PRINCIPAL: &str = "Principal";
const NOT_PRINCIPAL: &str = "NotPrincipal";

/// Reads a document; an error holds every mistake.
pub(crate) fn read(text: &str) -> Result<Vec<Statement>, ParseErrors> {
    let mut mistakes = Mistakes::default();
    if text.len() > MAX_BYTES {
        let message =
            format!("{} bytes long; the longest document here is {MAX_BYTES} bytes", text.len());
        mistakes.add(Place { line: 1, column: 1 }, "", message);
        return mistakes.finish(None);
    }
    match json::read(text) {
        Ok(node) => {
            let mut grammar = Grammar { mistakes, has_variables: false };
            let statements = grammar.document(&Element::root(&node));
            grammar.mistakes.finish(statements)
        }
        Err(error) => {
            mistakes.add(error.place, "", format!("not JSON: {}", error.message));
            mistakes.finish(None)
        }
    }
}

struct Grammar {
    mistakes: Mistakes,
    /// Whether the document's version gives `${...}` its meaning.
    has_variables: bool,
}

impl Grammar {
    fn document(&mut self, document: &Element<'_>) -> Option<Vec<Statement>> {
        let known = ["Version", "Id", "Statement"];
        let members = document.known_members(&known, &mut self.mistakes)?;
        if let Some(member) = members.get("Version") {
            self.version(&document.child(member));
        }
        if let Some(member) = members.get("Id") {
            document.child(member).string(&mut self.mistakes);
        }
        let Some(member) = members.get("Statement") else {
            document.wrong(&mut self.mistakes, "has no `Statement`; a policy needs at least one");
            return None;
        };
        let elements = document.child(member).one_or_more(&mut self.mistakes);
        let mut sids = HashMap::new();
        let statements = elements.iter().map(|element| {
            let statement = self.statement(element)?;
            if let Some(sid) = statement.sid().filter(|sid| !sid.is_empty())
                && let Some(first) = sids.insert(sid.to_owned(), statement.line)
            {
                let message = format!("the Sid `{sid}` is taken by the statement in line {first}");
                element.wrong(&mut self.mistakes, message);
            }
            Some(statement)
        });
        // Collected before it is judged: a failed statement must not hide those after it.
        let statements: Vec<Option<Statement>> = statements.collect();
        statements.into_iter().collect()
    }

    fn version(&mut self, element: &Element<'_>) {
        match element.string(&mut self.mistakes) {
            Some(CURRENT_VERSION) => self.has_variables = true,
            Some(OLD_VERSION) => {}
            Some(other) => element.wrong(
                &mut self.mistakes,
                format!("`{other}` is not a policy version; use \"{CURRENT_VERSION}\""),
            ),
            // Not a string, which is noted; the variables are not at fault as well.
            None => self.has_variables = true,
        }
    }

    fn statement(&mut self, statement: &Element<'_>) -> Option<Statement> {
        let known = [
            "Sid",
            "Effect",
            "Action",
            "NotAction",
            "Resource",
            "NotResource",
            "Condition",
            PRINCIPAL,
            NOT_PRINCIPAL,
        ];
        let members = statement.known_members(&known, &mut self.mistakes)?;
        for name in [PRINCIPAL, NOT_PRINCIPAL] {
            if let Some(member) = members.get(name) {
                let message = "not allowed: a policy attached to a certificate or a user applies \
                               to whoever it is attached to; remove it";
                let path = statement.child(member).path;
                self.mistakes.add(member.place, &path, message);
            }
        }
        let sid = members.get("Sid").map(|member| statement.child(member));
        let sid = sid.and_then(|sid| sid.string(&mut self.mistakes)).map(Box::from);
        let effect = self.effect(statement, members.get("Effect"));
        let actions = self.actions(statement, &members);
        let resources = self.resources(statement, &members);
        let conditions = match members.get("Condition") {
            Some(member) => self.conditions(&statement.child(member)),
            None => Some(Vec::new()),
        };
        Some(Statement {
            sid,
            line: statement.place().line,
            effect: effect?,
            actions: actions?,
            resources: resources?,
            conditions: conditions?.into(),
        })
    }

    fn effect(&mut self, statement: &Element<'_>, member: Option<&Member>) -> Option<Effect> {
        let Some(member) = member else {
            statement.wrong(&mut self.mistakes, "has no `Effect`; use \"Allow\" or \"Deny\"");
            return None;
        };
        let element = statement.child(member);
        match element.string(&mut self.mistakes)? {
            "Allow" => Some(Effect::Allow),
            "Deny" => Some(Effect::Deny),
            other => {
                let message = format!("`{other}` is not an effect; use \"Allow\" or \"Deny\"");
                element.wrong(&mut self.mistakes, message);
                None
            }
        }
    }

    /// The one of `names` that is present, and whether it is the second, the negated one.
    fn either<'n>(
        &mut self,
        statement: &Element<'n>,
        members: &KnownMembers<'n>,
        names: [&str; 2],
    ) -> Option<(Element<'n>, bool)> {
        let [plain, negated] = names;
        match (members.get(plain), members.get(negated)) {
            (Some(member), None) => Some((statement.child(member), false)),
            (None, Some(member)) => Some((statement.child(member), true)),
            (None, None) => {
                let message = format!("has no `{plain}` (or `{negated}`); it needs one");
                statement.wrong(&mut self.mistakes, message);
                None
            }
            (Some(_), Some(_)) => {
                let message = format!("has both `{plain}` and `{negated}`; keep one");
                statement.wrong(&mut self.mistakes, message);
                None
            }
        }
    }

    fn actions<'n>(
        &mut self,
        statement: &Element<'n>,
        members: &KnownMembers<'n>,
    ) -> Option<Actions> {
        let (element, negated) = self.either(statement, members, ["Action", "NotAction"])?;
        let mut covered = ActionSet::default();
        let mut text = Vec::new();
        for item in element.one_or_more(&mut self.mistakes) {
            let Some(action) = item.string(&mut self.mistakes) else { continue };
            if is_action(action) {
                covered.add_matching(action);
                text.push(action.into());
            } else {
                let message = format!(
                    "`{action}` is not an action; use one like `iot:Publish`, `iot:*` or `*`"
                );
                item.wrong(&mut self.mistakes, message);
            }
        }
        let covered = if negated { covered.complement() } else { covered };
        Some(Actions { covered, negated, text: text.into() })
    }

    fn resources<'n>(
        &mut self,
        statement: &Element<'n>,
        members: &KnownMembers<'n>,
    ) -> Option<Resources> {
        let (element, negated) = self.either(statement, members, ["Resource", "NotResource"])?;
        let mut patterns = Vec::new();
        let mut text = Vec::new();
        for item in element.one_or_more(&mut self.mistakes) {
            let Some(resource) = item.string(&mut self.mistakes) else { continue };
            self.check_version(&item, resource);
            match ResourcePattern::parse(resource) {
                Ok(pattern) => {
                    patterns.push(pattern);
                    text.push(resource.into());
                }
                Err(message) => item.wrong(&mut self.mistakes, message),
            }
        }
        Some(Resources { patterns: patterns.into(), negated, text: text.into() })
    }

    fn conditions(&mut self, condition: &Element<'_>) -> Option<Vec<Test>> {
        let mut tests = Vec::new();
        for member in condition.members(&mut self.mistakes)? {
            let block = condition.child(member);
            let operator = Operator::parse(&member.name);
            if let Err(message) = &operator {
                self.mistakes.add(member.place, &block.path, message);
            }
            let Some(keys) = block.members(&mut self.mistakes) else { continue };
            for key in keys {
                let values = self.condition_values(&block, key);
                let Ok(operator) = operator else { continue };
                self.test(operator, key, values, &mut tests);
            }
        }
        Some(tests)
    }

    /// The values of one key of one operator, after the key itself is judged.
    fn condition_values<'n>(
        &mut self,
        block: &Element<'n>,
        key: &'n Member,
    ) -> Vec<(Element<'n>, Box<str>)> {
        let element = block.child(key);
        if is_thing_attribute(&key.name) {
            let message = "a thing's attribute cannot be a condition key; compare another key \
                           with it as the value `${iot:Connection.Thing.Attributes[name]}`";
            self.mistakes.add(key.place, &element.path, message);
        } else if !key.name.contains(':') {
            let message = format!("`{}` is not a key; use one like `iot:Topic`", key.name);
            self.mistakes.add(key.place, &element.path, message);
        }
        let items = element.one_or_more(&mut self.mistakes);
        let values = items.into_iter().filter_map(|item| {
            let value = item.scalar(&mut self.mistakes)?;
            self.check_version(&item, value);
            Some((item, value.into()))
        });
        values.collect()
    }

    fn test(
        &mut self,
        operator: Operator,
        key: &Member,
        values: Vec<(Element<'_>, Box<str>)>,
        tests: &mut Vec<Test>,
    ) {
        let (items, values): (Vec<Element<'_>>, Vec<Box<str>>) = values.into_iter().unzip();
        match Test::parse(operator, &key.name, values) {
            Ok(test) => tests.push(test),
            Err(wrong) => {
                for (position, message) in wrong {
                    items[position].wrong(&mut self.mistakes, message);
                }
            }
        }
    }

    /// IAM takes `${...}` for plain text in documents of the old version, which is also the
    /// version of those that name none. Nobody means that, so it is refused, not obeyed.
    fn check_version(&mut self, element: &Element<'_>, text: &str) {
        if text.contains("${") && !self.has_variables {
            let message = format!(
                "variables need `\"Version\": \"{CURRENT_VERSION}\"` at the top of the document"
            );
            element.wrong(&mut self.mistakes, message);
        }
    }
}

/// Whether `text` is `*` or `service:name`, where the name may hold wildcards.
fn is_action(text: &str) -> bool {
    let is_name = |text: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_*?".contains(c);
        !text.is_empty() && text.chars().all(allowed)
    };
    text == "*"
        || text.split_once(':').is_some_and(|(service, name)| is_name(service) && is_name(name))
}

/// Whether a condition key names a thing's attribute, which AWS refuses (spec 6.4).
fn is_thing_attribute(key: &str) -> bool {
    key.to_ascii_lowercase().starts_with("iot:connection.thing.attributes[")
}
