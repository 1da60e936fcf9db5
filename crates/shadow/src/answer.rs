//! The documents with which requests are answered (spec 10.3).

use std::fmt::Write;

use crate::document::Document;
use crate::fault::Fault;
use crate::node;
use crate::request::Update;
use crate::topic::Operation;

/// What a message tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A request was done.
    Accepted(Operation),
    /// A request was not done.
    Rejected(Operation),
    /// An update left what is desired and not so reported.
    Delta,
    /// An update made of one document another.
    Documents,
}

impl Kind {
    /// The last levels of its topic.
    pub(crate) const fn levels(self) -> &'static str {
        match self {
            Kind::Accepted(Operation::Get) => "get/accepted",
            Kind::Accepted(Operation::Update) => "update/accepted",
            Kind::Accepted(Operation::Delete) => "delete/accepted",
            Kind::Rejected(Operation::Get) => "get/rejected",
            Kind::Rejected(Operation::Update) => "update/rejected",
            Kind::Rejected(Operation::Delete) => "delete/rejected",
            Kind::Delta => "update/delta",
            Kind::Documents => "update/documents",
        }
    }
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What it tells.
    pub kind: Kind,
    /// A JSON document.
    pub payload: String,
}

/// What every answer ends with.
#[derive(Clone, Copy)]
pub(crate) struct Tail<'a> {
    /// The version that the shadow has now.
    pub(crate) version: u64,
    /// In seconds since 1970.
    pub(crate) now: u64,
    pub(crate) client_token: Option<&'a str>,
}

impl Tail<'_> {
    /// Ends an object: the version first, unless it stands elsewhere.
    fn close(&self, out: &mut String, with_version: bool) {
        if with_version {
            push(out, format_args!(",\"version\":{}", self.version));
        }
        push(out, format_args!(",\"timestamp\":{}", self.now));
        close(out, self.client_token);
    }
}

/// `get/accepted`.
pub(crate) fn got(document: &Document, tail: Tail<'_>) -> String {
    let state = document.with_delta(node::write_value);
    let metadata = document.with_delta(node::write_metadata);
    with_state(&state, &metadata, tail)
}

/// `update/accepted`: what the request named, and no more.
pub(crate) fn updated(update: &Update, tail: Tail<'_>) -> String {
    with_state(&update.state(), &update.metadata(tail.now), tail)
}

/// `update/delta`; none if what is desired is so reported.
pub(crate) fn delta(document: &Document, tail: Tail<'_>) -> Option<String> {
    let delta = document.delta();
    if delta.is_empty() {
        return None;
    }
    let (mut state, mut metadata) = (String::new(), String::new());
    node::write_object(&mut state, &delta, node::write_value);
    node::write_object(&mut metadata, &delta, node::write_metadata);
    let mut out = format!("{{\"version\":{},\"timestamp\":{}", tail.version, tail.now);
    push(&mut out, format_args!(",\"state\":{state},\"metadata\":{metadata}"));
    close(&mut out, tail.client_token);
    Some(out)
}

/// `update/documents`: the document before, under its version, and the one now.
pub(crate) fn documents(previous: (&Document, u64), current: &Document, tail: Tail<'_>) -> String {
    let mut out = String::from("{\"previous\":");
    for (name, (document, version)) in [("", previous), (",\"current\":", (current, tail.version))]
    {
        let (state, metadata) = (document.state(), document.metadata());
        push(&mut out, format_args!("{name}{{\"state\":{state},\"metadata\":{metadata}"));
        push(&mut out, format_args!(",\"version\":{version}}}"));
    }
    tail.close(&mut out, false);
    out
}

/// `delete/accepted`.
pub(crate) fn deleted(tail: Tail<'_>) -> String {
    let mut out = format!("{{\"version\":{}", tail.version);
    tail.close(&mut out, false);
    out
}

/// The payload of a rejection; `now` in seconds since 1970.
pub fn rejected(fault: &Fault, client_token: Option<&str>, now: u64) -> String {
    let mut out = format!("{{\"code\":{},\"message\":", fault.code());
    node::write_text(&mut out, &fault.to_string());
    push(&mut out, format_args!(",\"timestamp\":{now}"));
    close(&mut out, client_token);
    out
}

fn with_state(state: &str, metadata: &str, tail: Tail<'_>) -> String {
    let mut out = format!("{{\"state\":{state},\"metadata\":{metadata}");
    tail.close(&mut out, true);
    out
}

fn close(out: &mut String, client_token: Option<&str>) {
    if let Some(token) = client_token {
        out.push_str(",\"clientToken\":");
        node::write_text(out, token);
    }
    out.push('}');
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a text takes whatever is written");
}
