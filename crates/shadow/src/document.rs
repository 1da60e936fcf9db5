//! The document of a shadow.

use crate::fault::Fault;
use crate::json::{self, Json, Members};
use crate::limits::{LEVELS, STATE_BYTES};
use crate::node::{self, Node};
use crate::request::{Section, Update};

/// What is desired and what is reported. A section without members is not there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Document {
    desired: Members<Node>,
    reported: Members<Node>,
}

/// What was kept is no document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no document of a shadow")]
pub struct Unreadable;

impl Document {
    /// The document whose state and times are these texts.
    pub(crate) fn read(state: &str, times: &str) -> Result<Self, Unreadable> {
        let [desired, reported] = sections(state)?;
        let [desired_times, reported_times] = sections(times)?;
        Ok(Document {
            desired: node::dated_object(desired, &desired_times).ok_or(Unreadable)?,
            reported: node::dated_object(reported, &reported_times).ok_or(Unreadable)?,
        })
    }

    /// Does what the request says.
    ///
    /// # Errors
    /// [`Fault::TooLarge`], if there would be more state than there is room for.
    pub(crate) fn update(&mut self, update: &Update, now: u64) -> Result<(), Fault> {
        for (present, section) in
            [(&mut self.desired, &update.desired), (&mut self.reported, &update.reported)]
        {
            match section {
                Section::Unnamed => {}
                Section::Removed => present.clear(),
                Section::Named(members) => node::merge(present, members, now),
            }
        }
        if self.state().len() > STATE_BYTES { Err(Fault::TooLarge) } else { Ok(()) }
    }

    /// What is desired and not so reported.
    pub(crate) fn delta(&self) -> Members<Node> {
        node::delta(&self.desired, &self.reported)
    }

    /// The state, without white space.
    pub(crate) fn state(&self) -> String {
        self.text(node::write_value)
    }

    /// The state's metadata.
    pub(crate) fn metadata(&self) -> String {
        self.text(node::write_metadata)
    }

    /// The state's times, to be [read](Document::read) again.
    pub(crate) fn times(&self) -> String {
        self.text(node::write_times)
    }

    /// The state, or its metadata, together with the delta if there is any.
    pub(crate) fn with_delta(&self, write: impl Fn(&mut String, &Node)) -> String {
        let delta = self.delta();
        sections_text(
            [("desired", &self.desired), ("reported", &self.reported), ("delta", &delta)],
            write,
        )
    }

    fn text(&self, write: impl Fn(&mut String, &Node)) -> String {
        sections_text([("desired", &self.desired), ("reported", &self.reported)], write)
    }
}

fn sections_text<const N: usize>(
    sections: [(&str, &Members<Node>); N],
    write: impl Fn(&mut String, &Node),
) -> String {
    let mut out = String::new();
    let present = sections.into_iter().filter(|(_, members)| !members.is_empty());
    node::write_object(&mut out, present, |out, members| {
        node::write_object(out, members, &write);
    });
    out
}

/// `desired` and `reported` of what was kept.
fn sections(text: &str) -> Result<[Members<Json>; 2], Unreadable> {
    let whole = json::whole(text).map_err(|_| Unreadable)?;
    // The object around both, and each of them, are levels here.
    let Ok(Json::Object(mut both)) = json::value(whole, LEVELS + 2, false) else {
        return Err(Unreadable);
    };
    let [desired, reported] = ["desired", "reported"].map(|name| both.shift_remove(name));
    if !both.is_empty() {
        return Err(Unreadable);
    }
    let section = |json| match json {
        None => Ok(Members::default()),
        Some(Json::Object(members)) => Ok(members),
        Some(Json::Null | Json::Scalar(_) | Json::Array(_)) => Err(Unreadable),
    };
    Ok([section(desired)?, section(reported)?])
}
