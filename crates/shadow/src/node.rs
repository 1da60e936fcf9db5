//! What a document holds, each value with the time at which it was set.

use crate::json::{Json, Members, Scalar};
use crate::number::Number;

/// A value of a document. There is no null in it.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    /// A value without parts, and when it was set, in seconds since 1970.
    Scalar(Scalar, u64),
    /// Elements in their order; each has its own time, though all are set at once.
    Array(Vec<Node>),
    Object(Members<Node>),
}

impl Node {
    /// A value that is set now; none for null. Members that are null are left out.
    pub(crate) fn new(json: &Json, now: u64) -> Option<Self> {
        Some(match json {
            Json::Null => return None,
            Json::Scalar(scalar) => Node::Scalar(scalar.clone(), now),
            Json::Array(elements) => {
                Node::Array(elements.iter().filter_map(|element| Node::new(element, now)).collect())
            }
            Json::Object(members) => Node::Object(object(members, now)),
        })
    }

    /// A value with its times, in the form of [`write_times`]; none if they do not fit together.
    pub(crate) fn dated(json: Json, times: &Json) -> Option<Self> {
        Some(match (json, times) {
            (Json::Scalar(scalar), Json::Scalar(Scalar::Number(time))) => {
                Node::Scalar(scalar, time.as_str().parse().ok()?)
            }
            (Json::Array(elements), Json::Array(times)) if elements.len() == times.len() => {
                let each = elements.into_iter().zip(times);
                Node::Array(each.map(|(own, time)| Node::dated(own, time)).collect::<Option<_>>()?)
            }
            (Json::Object(members), Json::Object(times)) => {
                Node::Object(dated_object(members, times)?)
            }
            (Json::Null | Json::Scalar(_) | Json::Array(_) | Json::Object(_), _) => return None,
        })
    }

    /// Whether both have the same value, whenever it was set and in whatever order its members are.
    fn is_same(&self, other: &Node) -> bool {
        match (self, other) {
            (Node::Scalar(own, _), Node::Scalar(its, _)) => own == its,
            (Node::Array(own), Node::Array(its)) => {
                own.len() == its.len() && own.iter().zip(its).all(|(own, its)| own.is_same(its))
            }
            (Node::Object(own), Node::Object(its)) => {
                own.len() == its.len()
                    && own.iter().all(|(name, own)| its.get(name).is_some_and(|it| own.is_same(it)))
            }
            (Node::Scalar(..) | Node::Array(_) | Node::Object(_), _) => false,
        }
    }
}

/// The members that are set now; those that are null are left out.
pub(crate) fn object(members: &Members<Json>, now: u64) -> Members<Node> {
    let set = members.iter().map(|(name, json)| Some((name.clone(), Node::new(json, now)?)));
    set.flatten().collect()
}

/// The members with their times; none if they do not fit together.
pub(crate) fn dated_object(members: Members<Json>, times: &Members<Json>) -> Option<Members<Node>> {
    if members.len() != times.len() {
        return None;
    }
    let dated = |(name, json)| {
        let time = times.get(&name)?;
        Some((name, Node::dated(json, time)?))
    };
    members.into_iter().map(dated).collect()
}

/// Sets what the request names: objects member by member, all else, arrays too, as a whole. What it
/// names with null is removed (spec 10.3).
pub(crate) fn merge(present: &mut Members<Node>, request: &Members<Json>, now: u64) {
    present.retain(|name, _| !matches!(request.get(name), Some(Json::Null)));
    for (name, json) in request {
        match (present.get_mut(name), json) {
            (Some(Node::Object(present)), Json::Object(request)) => merge(present, request, now),
            (Some(present), json) => {
                if let Some(node) = Node::new(json, now) {
                    *present = node;
                }
            }
            (None, json) => {
                if let Some(node) = Node::new(json, now) {
                    present.insert(name.clone(), node);
                }
            }
        }
    }
}

/// What is desired and not so reported, from the root on: objects are compared member by member, all
/// else as a whole. What is only reported does not matter (spec 10.3).
pub(crate) fn delta(desired: &Members<Node>, reported: &Members<Node>) -> Members<Node> {
    let mut differing = Members::default();
    for (name, desired) in desired {
        let differs = match (desired, reported.get(name)) {
            (Node::Object(desired), Some(Node::Object(reported))) => {
                let below = delta(desired, reported);
                (!below.is_empty()).then_some(Node::Object(below))
            }
            (desired, Some(reported)) if desired.is_same(reported) => None,
            (desired, Some(_) | None) => Some(desired.clone()),
        };
        differing.extend(differs.map(|node| (name.clone(), node)));
    }
    differing
}

/// Appends a value.
pub(crate) fn write_value(out: &mut String, node: &Node) {
    write(out, node, &|out, scalar, _| write_scalar(out, scalar));
}

/// Appends a value's metadata: the same tree, with an object in the place of each scalar.
pub(crate) fn write_metadata(out: &mut String, node: &Node) {
    write(out, node, &|out, _, time| out.push_str(&format!("{{\"timestamp\":{time}}}")));
}

/// Appends a value's times: the same tree, with a number in the place of each scalar.
pub(crate) fn write_times(out: &mut String, node: &Node) {
    write(out, node, &|out, _, time| out.push_str(&time.to_string()));
}

fn write(out: &mut String, node: &Node, scalar: &impl Fn(&mut String, &Scalar, u64)) {
    match node {
        Node::Scalar(value, time) => scalar(out, value, *time),
        Node::Array(elements) => write_array(out, elements, |out, node| write(out, node, scalar)),
        Node::Object(members) => write_object(out, members, |out, node| write(out, node, scalar)),
    }
}

/// Appends a value of a request.
pub(crate) fn write_json(out: &mut String, json: &Json) {
    match json {
        Json::Null => out.push_str("null"),
        Json::Scalar(scalar) => write_scalar(out, scalar),
        Json::Array(elements) => write_array(out, elements, write_json),
        Json::Object(members) => write_object(out, members, write_json),
    }
}

fn write_scalar(out: &mut String, scalar: &Scalar) {
    match scalar {
        Scalar::Bool(true) => out.push_str("true"),
        Scalar::Bool(false) => out.push_str("false"),
        Scalar::Number(number) => out.push_str(Number::as_str(number)),
        Scalar::Text(text) => write_text(out, text),
    }
}

fn write_array<T>(out: &mut String, elements: &[T], write: impl Fn(&mut String, &T)) {
    out.push('[');
    for (at, element) in elements.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write(out, element);
    }
    out.push(']');
}

/// Appends an object without white space.
pub(crate) fn write_object<'a, K: AsRef<str> + 'a, T: 'a>(
    out: &mut String,
    members: impl IntoIterator<Item = (K, T)>,
    write: impl Fn(&mut String, T),
) {
    out.push('{');
    for (at, (name, value)) in members.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write_text(out, name.as_ref());
        out.push(':');
        write(out, value);
    }
    out.push('}');
}

/// Appends a text in quotes.
pub(crate) fn write_text(out: &mut String, text: &str) {
    out.push_str(&serde_json::to_string(text).expect("a text is always JSON"));
}
