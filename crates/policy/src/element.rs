//! An element of a policy document while it is read: the value, and what to call it when it is
//! wrong.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::error::Mistakes;
use crate::json::{Member, Node, Place, Value};

/// A value of the document and its path, such as `Statement[1].Condition`.
pub(crate) struct Element<'n> {
    pub node: &'n Node,
    pub path: String,
}

impl<'n> Element<'n> {
    /// The document itself.
    pub(crate) fn root(node: &'n Node) -> Element<'n> {
        Element { node, path: String::new() }
    }

    /// The member of this element that `member` is.
    pub(crate) fn child(&self, member: &'n Member) -> Element<'n> {
        Element { node: &member.node, path: self.path_of(&member.name) }
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    pub(crate) fn place(&self) -> Place {
        self.node.place
    }

    /// Notes that this element is wrong.
    pub(crate) fn wrong(&self, mistakes: &mut Mistakes, message: impl Into<String>) {
        mistakes.add(self.node.place, &self.path, message);
    }

    /// Notes that this element is of the wrong kind.
    fn expected(&self, mistakes: &mut Mistakes, what: &str) {
        self.wrong(mistakes, format!("must be {what}, is {}", self.node.value.kind()));
    }

    /// The members of an object, each name once: the later ones of a name are noted as mistakes
    /// and left out.
    pub(crate) fn members(&self, mistakes: &mut Mistakes) -> Option<Vec<&'n Member>> {
        let Value::Object(all) = &self.node.value else {
            self.expected(mistakes, "an object");
            return None;
        };
        let mut lines = HashMap::new();
        let mut members = Vec::with_capacity(all.len());
        for member in all {
            match lines.entry(member.name.as_str()) {
                Entry::Vacant(vacant) => {
                    vacant.insert(member.place.line);
                    members.push(member);
                }
                Entry::Occupied(first) => {
                    let message = format!("given twice, first in line {}; keep one", first.get());
                    mistakes.add(member.place, &self.path_of(&member.name), message);
                }
            }
        }
        Some(members)
    }

    /// The members of an object that may hold only the `known` ones; others are noted.
    pub(crate) fn known_members(
        &self,
        known: &[&'static str],
        mistakes: &mut Mistakes,
    ) -> Option<KnownMembers<'n>> {
        let mut found = Vec::new();
        for member in self.members(mistakes)? {
            let name = member.name.as_str();
            if let Some(name) = known.iter().find(|known| **known == name) {
                found.push((*name, member));
                continue;
            }
            let close = known.iter().find(|known| known.eq_ignore_ascii_case(name));
            let message = match close {
                Some(close) => format!("unknown member; did you mean `{close}`?"),
                None => format!("unknown member; allowed here are {}", known.join(", ")),
            };
            mistakes.add(member.place, &self.path_of(name), message);
        }
        Some(KnownMembers(found))
    }

    /// The items of an array, or the element itself if it is none; noted if the array is empty.
    pub(crate) fn one_or_more(&self, mistakes: &mut Mistakes) -> Vec<Element<'n>> {
        let Value::Array(items) = &self.node.value else {
            return vec![Element { node: self.node, path: self.path.clone() }];
        };
        if items.is_empty() {
            self.wrong(mistakes, "must hold at least one value");
        }
        let items = items.iter().enumerate();
        items.map(|(i, node)| Element { node, path: format!("{}[{i}]", self.path) }).collect()
    }

    /// The text of a string.
    pub(crate) fn string(&self, mistakes: &mut Mistakes) -> Option<&'n str> {
        if let Value::String(text) = &self.node.value {
            return Some(text);
        }
        self.expected(mistakes, "a string");
        None
    }

    /// The text of a string, boolean or number, which conditions take alike.
    pub(crate) fn scalar(&self, mistakes: &mut Mistakes) -> Option<&'n str> {
        match &self.node.value {
            Value::String(text) | Value::Number(text) => Some(text),
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                self.expected(mistakes, "a string, a boolean or a number");
                None
            }
        }
    }
}

/// Members of an object by names that were known beforehand.
pub(crate) struct KnownMembers<'n>(Vec<(&'static str, &'n Member)>);

impl<'n> KnownMembers<'n> {
    pub(crate) fn get(&self, name: &str) -> Option<&'n Member> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, member)| *member)
    }
}
