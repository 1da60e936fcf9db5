//! Requests, checked.

use crate::fault::{Fault, Rejected};
use crate::json::{self, Json, Members, Raw};
use crate::limits::{CLIENT_TOKEN_BYTES, LEVELS, REQUEST_BYTES, STATE_BYTES};
use crate::node;
use crate::topic::Operation;

/// A request to a shadow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What is asked.
    pub asked: Asked,
    /// What tells its answers from others.
    pub client_token: Option<Box<str>>,
}

/// What is asked of a shadow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To tell what it is.
    Get,
    /// To change.
    Update(Update),
    /// To be no more.
    Delete,
}

/// How a shadow is to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    pub(crate) desired: Section,
    pub(crate) reported: Section,
    /// The version that it must have.
    pub(crate) version: Option<u64>,
}

/// What an update says of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    /// Nothing.
    Unnamed,
    /// It is to go.
    Removed,
    /// These members are to be set, or to go.
    Named(Members<Json>),
}

impl Request {
    /// A read without a client token.
    pub const GET: Request = Request { asked: Asked::Get, client_token: None };

    /// A deletion without a client token.
    pub const DELETE: Request = Request { asked: Asked::Delete, client_token: None };

    /// Reads the payload of a request. That of a read may be empty; that of a deletion does not
    /// matter, but for a client token (spec 10.2).
    ///
    /// # Errors
    /// [`Rejected`], with the first fault in the order of AWS's table.
    pub fn parse(operation: Operation, payload: &[u8]) -> Result<Request, Rejected> {
        match operation {
            Operation::Get if payload.is_empty() => Ok(Request::GET),
            Operation::Get => {
                let root = root(payload)?;
                Ok(Request { asked: Asked::Get, client_token: client_token(&root)? })
            }
            Operation::Update => Request::parse_update(&root(payload)?),
            Operation::Delete => {
                let client_token = root(payload).and_then(|root| client_token(&root));
                let client_token = client_token.unwrap_or_default();
                Ok(Request { asked: Asked::Delete, client_token })
            }
        }
    }

    fn parse_update(root: &Members<Raw<'_>>) -> Result<Request, Rejected> {
        let token = client_token(root);
        let valid_token = token.clone().unwrap_or_default();
        let update = Update::parse(root, token);
        match update {
            Ok(update) => Ok(Request { asked: Asked::Update(update), client_token: valid_token }),
            Err(fault) => Err(Rejected { fault, client_token: valid_token }),
        }
    }
}

impl Update {
    fn parse(
        root: &Members<Raw<'_>>,
        token: Result<Option<Box<str>>, Fault>,
    ) -> Result<Update, Fault> {
        let state = root.get("state").ok_or(Fault::MissingState)?;
        let named = match json::is_null(state) {
            // Both sections are to go.
            true => None,
            false => Some(json::members(state)?.ok_or(Fault::StateNotObject)?),
        };
        let outline = |name, fault| match &named {
            None => Ok(Outline::Removed),
            Some(members) => Outline::of(members.get(name).copied(), fault),
        };
        let desired = outline("desired", Fault::DesiredNotObject)?;
        let reported = outline("reported", Fault::ReportedNotObject)?;
        let version = version(root)?;
        token?;
        let (desired, reported) = (desired.read()?, reported.read()?);
        let others = named.iter().flat_map(Members::keys);
        if others.into_iter().any(|name| !matches!(&**name, "desired" | "reported")) {
            return Err(Fault::InvalidNode);
        }
        let update = Update { desired, reported, version };
        if update.state().len() > STATE_BYTES {
            return Err(Fault::TooLarge);
        }
        Ok(update)
    }

    /// The state as the request named it, nulls included.
    pub(crate) fn state(&self) -> String {
        let mut out = String::new();
        node::write_object(&mut out, self.sections(), |out, section| match section {
            None => out.push_str("null"),
            Some(members) => node::write_object(out, members, node::write_json),
        });
        out
    }

    /// The metadata of what it sets.
    pub(crate) fn metadata(&self, now: u64) -> String {
        let mut out = String::new();
        let set = self.sections().filter_map(|(name, section)| Some((name, section?)));
        node::write_object(&mut out, set, |out, members| {
            node::write_object(out, &node::object(members, now), node::write_metadata);
        });
        out
    }

    /// The sections that are named; with nothing those that are to go.
    fn sections(&self) -> impl Iterator<Item = (&'static str, Option<&Members<Json>>)> {
        [("desired", &self.desired), ("reported", &self.reported)].into_iter().filter_map(
            |(name, section)| match section {
                Section::Unnamed => None,
                Section::Removed => Some((name, None)),
                Section::Named(members) => Some((name, Some(members))),
            },
        )
    }
}

/// A section whose contents were not read yet.
enum Outline<'a> {
    Unnamed,
    Removed,
    Named(Members<Raw<'a>>),
}

impl<'a> Outline<'a> {
    fn of(section: Option<Raw<'a>>, not_object: Fault) -> Result<Self, Fault> {
        match section {
            None => Ok(Outline::Unnamed),
            Some(raw) if json::is_null(raw) => Ok(Outline::Removed),
            Some(raw) => Ok(Outline::Named(json::members(raw)?.ok_or(not_object)?)),
        }
    }

    fn read(self) -> Result<Section, Fault> {
        let members = match self {
            Outline::Unnamed => return Ok(Section::Unnamed),
            Outline::Removed => return Ok(Section::Removed),
            Outline::Named(members) => members,
        };
        let read = |(name, raw)| Ok((name, json::value(raw, LEVELS, false)?));
        let members = members.into_iter().map(read).collect::<Result<_, Fault>>()?;
        Ok(Section::Named(members))
    }
}

/// The members of the payload.
fn root(payload: &[u8]) -> Result<Members<Raw<'_>>, Fault> {
    if payload.len() > REQUEST_BYTES {
        return Err(Fault::TooLarge);
    }
    // In UTF-16 and UTF-32 one of the first two bytes of a JSON text is 0 (RFC 4627, section 3).
    if payload.iter().take(2).any(|byte| *byte == 0) {
        return Err(Fault::NotUtf8);
    }
    let text = std::str::from_utf8(payload).map_err(|_| Fault::NotUtf8)?;
    json::members(json::whole(text)?)?.ok_or(Fault::InvalidJson)
}

/// The client token; one that is null is none.
fn client_token(root: &Members<Raw<'_>>) -> Result<Option<Box<str>>, Fault> {
    let Some(raw) = root.get("clientToken").filter(|raw| !json::is_null(raw)) else {
        return Ok(None);
    };
    let token = json::text(raw)?.filter(|token| token.len() <= CLIENT_TOKEN_BYTES);
    token.ok_or(Fault::InvalidClientToken).map(Some)
}

/// The version; one that is null is none.
fn version(root: &Members<Raw<'_>>) -> Result<Option<u64>, Fault> {
    let Some(raw) = root.get("version").filter(|raw| !json::is_null(raw)) else { return Ok(None) };
    raw.get().parse().map(Some).map_err(|_| Fault::InvalidVersion)
}
